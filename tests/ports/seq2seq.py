"""Translation with attention: a bidirectional encoder on packed sequences, a decoder with masked additive attention."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

PAD, START, STOP = 0, 1, 2


class Encoder(nn.Module):
    def __init__(self, words, dim, hidden):
        super().__init__()
        self.words = nn.Embedding(words, dim, padding_idx=PAD)
        self.gru = nn.GRU(dim, hidden, batch_first=True, bidirectional=True)
        self.bridge = nn.Linear(2 * hidden, hidden)

    def forward(self, ids, lengths):
        packed = pack_padded_sequence(self.words(ids), lengths.cpu(), batch_first=True, enforce_sorted=False)
        packed, last = self.gru(packed)
        states, _ = pad_packed_sequence(packed, batch_first=True, total_length=ids.size(1))
        return states, self.bridge(torch.cat(last.unbind(0), dim=-1)).tanh()


class Attention(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.query = nn.Linear(hidden, hidden, bias=False)
        self.key = nn.Linear(2 * hidden, hidden)
        self.energy = nn.Parameter(torch.empty(hidden).uniform_(-0.5, 0.5))

    def forward(self, query, states, padding):
        scores = torch.tanh(self.query(query).unsqueeze(1) + self.key(states)) @ self.energy
        weights = F.softmax(scores.masked_fill(padding, float("-inf")), dim=1)
        return torch.einsum("bs,bsh->bh", weights, states)


class Decoder(nn.Module):
    def __init__(self, words, dim, hidden):
        super().__init__()
        self.words = nn.Embedding(words, dim, padding_idx=PAD)
        self.attention = Attention(hidden)
        self.lstm = nn.LSTM(dim + 2 * hidden, hidden, num_layers=2)
        self.out = nn.Linear(3 * hidden, words)

    def forward(self, previous, state, states, padding):
        context = self.attention(state[0][-1], states, padding)
        step = torch.cat([self.words(previous), context], dim=1).unsqueeze(0)
        output, state = self.lstm(step, state)
        return self.out(torch.hstack([output.squeeze(0), context])), state


class Translator(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder(11, 5, 6)
        self.decoder = Decoder(9, 4, 6)

    def forward(self, source, lengths, target=None, steps=5):
        states, hidden = self.encoder(source, lengths)
        padding = source == PAD
        state = (hidden.expand(2, -1, -1).contiguous(), hidden.new_zeros(2, *hidden.size()))
        word = torch.full_like(source[:, 0], START)
        outputs = []
        for t in range(steps if target is None else target.size(1)):
            logits, state = self.decoder(word, state, states, padding)
            outputs.append(logits)
            word = logits.argmax(dim=1) if target is None else target[:, t]
        return torch.stack(outputs, dim=1)


def make_model():
    return Translator()


def make_data(rng):
    source_lengths, target_lengths = rng.permutation([3, 6, 4, 6]), rng.permutation([4, 5, 6, 3])
    source, target = rng.integers(3, 11, (4, 6)), rng.integers(3, 9, (4, 6))
    for i in range(4):
        source[i, source_lengths[i] :] = PAD
        target[i, target_lengths[i] - 1] = STOP
        target[i, target_lengths[i] :] = PAD
    return source, source_lengths, target


def train(model, source, lengths, target):
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    criterion = nn.CrossEntropyLoss(ignore_index=PAD)
    losses = []
    model.train()
    for _ in range(5):
        optimizer.zero_grad()
        logits = model(source, lengths, target)
        loss = criterion(logits.view(-1, logits.shape[-1]), target.view(-1))
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        optimizer.step()
        losses += [loss.item(), float(norm)]
    model.eval()
    with torch.no_grad():
        return losses + model(source, lengths).argmax(-1).flatten().tolist()
