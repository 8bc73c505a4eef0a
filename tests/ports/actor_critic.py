"""Advantage actor-critic on a small hand-made environment, the categorical distribution written out."""

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


def orthogonal(inputs, outputs, gain):
    linear = nn.Linear(inputs, outputs)
    with torch.no_grad():
        nn.init.orthogonal_(linear.weight, gain=gain)
        linear.bias.zero_()
    return linear


class ActorCritic(nn.Module):
    def __init__(self, obs_dim=4, n_actions=3, hidden=16):
        super().__init__()
        self.body = nn.Sequential(
            orthogonal(obs_dim, hidden, 2**0.5), nn.Tanh(), orthogonal(hidden, hidden, 2**0.5), nn.ELU()
        )
        self.actor = orthogonal(hidden, n_actions, 0.01)
        self.critic = orthogonal(hidden, 1, 1.0)

    def forward(self, obs):
        features = self.body(obs)
        return self.actor(features), self.critic(features).squeeze(-1)

    @torch.no_grad()
    def act(self, obs):
        logits, value = self(obs)
        action = torch.multinomial(F.softmax(logits, dim=-1), 1).squeeze(-1)
        return action, value

    def evaluate(self, obs, actions):
        logits, values = self(obs)
        log_probs = logits - logits.logsumexp(dim=-1, keepdim=True)
        chosen = log_probs.gather(1, actions.unsqueeze(1)).squeeze(1)
        entropy = -(log_probs.exp() * log_probs).sum(-1)
        return chosen, entropy, values


class Environment:
    """A state that drifts by its dynamics and the action; the reward is to stay near 0."""

    def __init__(self, dynamics, pushes, start):
        self.dynamics, self.pushes, self.state = dynamics, pushes, start.clone()

    def step(self, action):
        self.state = torch.tanh(self.state @ self.dynamics + self.pushes[action])
        return self.state, -self.state.pow(2).sum().item()


def discounted(rewards, values, last_value, discount=0.99, decay=0.95):
    """Each step's surprise, and the later ones ever more faintly."""
    after = torch.cat([values[1:], last_value.reshape(1)])
    surprise = rewards + discount * after - values
    steps = torch.arange(len(rewards))
    distance = steps.unsqueeze(0) - steps.unsqueeze(1)
    weight = torch.where(distance >= 0, (discount * decay) ** distance.clamp(min=0).to(values.dtype), 0.0)
    return weight @ surprise


def make_model():
    return ActorCritic()


def make_data(rng):
    return rng.standard_normal((4, 4)), rng.standard_normal((3, 4)), rng.standard_normal(4)


def train(model, dynamics, pushes, start):
    env = Environment(dynamics, pushes, start)
    optimizer = optim.Adam(model.parameters(), lr=3e-3, eps=1e-5)
    scheduler = optim.lr_scheduler.LambdaLR(optimizer, lambda update: 1.0 - update / 5)
    losses = []
    for _ in range(5):
        observations, actions, rewards, values = [], [], [], []
        obs = env.state
        for _ in range(12):
            action, value = model.act(obs)
            observations.append(obs)
            actions.append(action)
            values.append(value)
            obs, reward = env.step(action)
            rewards.append(reward)
        observations, actions, values = torch.stack(observations), torch.stack(actions), torch.stack(values)
        rewards = torch.tensor(rewards, dtype=values.dtype)
        _, last_value = model.act(obs)
        advantages = discounted(rewards, values, last_value)
        returns = advantages + values
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)

        log_probs, entropy, predicted = model.evaluate(observations, actions)
        ratio = torch.exp(log_probs - log_probs.detach())
        clipped = torch.clamp(ratio, 0.8, 1.2)
        policy_loss = -torch.min(ratio * advantages, clipped * advantages).mean()
        value_loss = F.smooth_l1_loss(predicted, returns)
        loss = policy_loss + 0.5 * value_loss - 0.01 * entropy.mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(model.parameters(), 0.5)
        optimizer.step()
        scheduler.step()
        losses += [loss.item(), entropy.mean().item(), rewards.sum().item()]
    return losses
