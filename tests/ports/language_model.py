"""A recurrent language model by truncated backpropagation: the hidden state is detached from batch to batch."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


class LanguageModel(nn.Module):
    def __init__(self, words, dim, hidden, layers):
        super().__init__()
        self.hidden, self.layers = hidden, layers
        self.embedding = nn.Embedding(words, dim)
        self.lstm = nn.LSTM(dim, hidden, layers)
        self.output = nn.Linear(hidden, words)
        self.reset()

    def reset(self):
        nn.init.uniform_(self.embedding.weight, -0.1, 0.1)
        nn.init.xavier_normal_(self.output.weight)
        for name, parameter in self.lstm.named_parameters():
            if name.startswith("weight_hh"):
                nn.init.orthogonal_(parameter)
            elif name.startswith("bias_ih"):
                with torch.no_grad():
                    parameter.zero_()
                    parameter[self.hidden : 2 * self.hidden] = 1.0  # remember at first

    def start(self, batch):
        h = next(self.parameters()).new_zeros(self.layers, batch, self.hidden)
        return h, torch.zeros_like(h)

    def forward(self, ids, state):
        out, state = self.lstm(self.embedding(ids), state)
        return F.log_softmax(self.output(out), dim=-1), state


def make_model():
    return LanguageModel(words=17, dim=6, hidden=8, layers=2)


def make_data(rng):
    return (rng.integers(0, 17, 107),)


def train(model, corpus):
    columns = corpus[: len(corpus) // 4 * 4].view(4, -1).t().contiguous()
    optimizer = optim.ASGD(model.parameters(), lr=0.5)
    criterion = nn.NLLLoss()
    state = model.start(batch=4)
    losses = []
    model.train()
    for i in range(0, columns.size(0) - 1, 5):
        inputs = columns[i : i + 5][: columns.size(0) - 1 - i]
        targets = columns.narrow(0, i + 1, inputs.size(0))
        state = tuple(s.detach() for s in state)
        log_probabilities, state = model(inputs, state)
        loss = criterion(log_probabilities.view(-1, 17), targets.reshape(-1))
        model.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        if i % 2:
            optimizer.step()
        else:
            for parameter in model.parameters():
                parameter.data.add_(parameter.grad, alpha=-2.0)
        losses += [loss.item(), torch.exp(loss.detach()).item()]
    return losses
