"""Deep Q-learning: a replay memory of named tuples, a dueling network and its slowly following target network."""

import copy
from collections import deque
from typing import NamedTuple

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


class Move(NamedTuple):
    state: torch.Tensor
    action: int
    reward: torch.Tensor
    following: torch.Tensor
    last: bool


class DuelingNetwork(nn.Module):
    def __init__(self, observations=3, actions=4, hidden=16):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(observations, hidden), nn.LayerNorm(hidden), nn.Mish())
        self.value = nn.Linear(hidden, 1)
        self.advantage = nn.Linear(hidden, actions)

    def forward(self, states):
        features = self.body(states)
        advantage = self.advantage(features)
        return self.value(features) + advantage - advantage.mean(dim=-1, keepdim=True)


def make_model():
    return DuelingNetwork()


def make_data(rng):
    return rng.standard_normal((31, 3)), rng.uniform(-1, 1, 30), rng.random(30) < 0.2


def learn(network, target, optimizer, moves):
    states, actions, rewards, following, last = zip(*moves, strict=True)
    chosen = network(torch.stack(states)).gather(1, torch.tensor(actions).unsqueeze(1)).squeeze(1)
    going_on = ~torch.tensor(last)
    future = torch.zeros_like(chosen)
    with torch.no_grad():
        future[going_on] = target(torch.stack(following)[going_on]).max(dim=1).values
    loss = F.smooth_l1_loss(chosen, torch.stack(rewards) + 0.9 * future)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_value_(network.parameters(), 0.05)
    optimizer.step()
    return loss.item()


def train(network, states, rewards, ends):
    target = copy.deepcopy(network).requires_grad_(False)
    optimizer = optim.AdamW(network.parameters(), lr=1e-3, amsgrad=True)
    memory = deque(maxlen=16)
    losses = []
    for t in range(30):
        with torch.no_grad():
            action = network(states[t]).argmax().item() if t % 3 else t % 4
        memory.append(Move(states[t], action, rewards[t], states[t + 1], bool(ends[t])))
        if len(memory) < 16:
            continue
        losses += [learn(network, target, optimizer, memory), action]
        current, slow = network.state_dict(), target.state_dict()
        target.load_state_dict({key: 0.05 * current[key] + 0.95 * slow[key] for key in slow})
    return losses
