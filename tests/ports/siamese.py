"""A Siamese network: one embedding of three images, a triplet loss, frozen layers that thaw, nearest neighbours."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


class EmbeddingNet(nn.Module):
    def __init__(self, dim=6):
        super().__init__()
        self.convnet = nn.Sequential(
            nn.Conv2d(1, 6, 5),
            nn.PReLU(),
            nn.MaxPool2d(2, stride=2),
            nn.Conv2d(6, 8, 3, padding="same", padding_mode="reflect"),
            nn.PReLU(8),
            nn.AvgPool2d(2),
        )
        self.fc = nn.Sequential(nn.Flatten(), nn.Linear(8 * 2 * 2, 16), nn.SiLU(), nn.Linear(16, dim))
        self.scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, x):
        output = self.convnet(x)
        output = self.fc(output)
        return self.scale * F.normalize(output, p=2, dim=1)

    def get_embedding(self, x):
        return self.forward(x)


class TripletNet(nn.Module):
    def __init__(self, embedding_net):
        super().__init__()
        self.embedding_net = embedding_net

    def forward(self, x1, x2, x3):
        return self.embedding_net(x1), self.embedding_net(x2), self.embedding_net(x3)


def make_model():
    return TripletNet(EmbeddingNet())


def make_data(rng):
    return tuple(rng.standard_normal((5, 1, 12, 12)) for _ in range(3))


def train(model, anchor, positive, negative):
    net = model.embedding_net
    for param in net.convnet.parameters():
        param.requires_grad = False
    optimizer = optim.Adagrad(filter(lambda p: p.requires_grad, model.parameters()), lr=0.05)
    criterion = nn.TripletMarginLoss(margin=1.0, p=2, swap=True)
    cosine = nn.CosineSimilarity(dim=1)
    losses = []
    for step in range(5):
        if step == 2:
            for param in net.convnet.parameters():
                param.requires_grad_(True)
            optimizer.add_param_group({"params": net.convnet.parameters(), "lr": 0.01})
        a, p, n = model(anchor, positive, negative)
        loss = criterion(a, p, n) + 0.1 * (1 - cosine(a, p)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    model.eval()
    with torch.no_grad():
        gallery = net.get_embedding(torch.cat([anchor, positive, negative]))
        distances = torch.cdist(gallery, gallery)
        distances.fill_diagonal_(float("inf"))
        nearest = distances.argmin(dim=1)
        losses.append(F.pairwise_distance(gallery[:5], gallery[5:10]).mean().item())
    return losses + nearest.tolist()
