"""Depthwise separable convolutions with squeeze-and-excitation, GroupNorm and Hardswish; an average of the weights."""

import copy
from collections import OrderedDict

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


def unit(inputs, outputs, kernel=1, stride=1, groups=1, activation=None):
    layers = OrderedDict()
    layers["conv"] = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False)
    layers["norm"] = nn.GroupNorm(2, outputs)
    if activation is not None:
        layers["activation"] = activation(inplace=True)
    return nn.Sequential(layers)


class Gate(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.down = nn.Conv2d(channels, channels // 2, 1)
        self.up = nn.Conv2d(channels // 2, channels, 1)

    def forward(self, x):
        s = F.relu(self.down(F.adaptive_avg_pool2d(x, 1)), inplace=True)
        return x * F.hardsigmoid(self.up(s))


class Separable(nn.Module):
    def __init__(self, inputs, outputs, kernel, stride, expand=2):
        super().__init__()
        wide = inputs * expand
        self.expand = unit(inputs, wide, activation=nn.ReLU6)
        self.depthwise = unit(wide, wide, kernel, stride, groups=wide, activation=nn.Hardswish)
        self.gate = Gate(wide)
        self.project = unit(wide, outputs)
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x):
        y = self.project(self.gate(self.depthwise(self.expand(x))))
        return x + y if self.skip else y


class MobileNet(nn.Module):
    def __init__(self, classes=3):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.48, 0.46, 0.41]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.23, 0.22, 0.23]).view(1, 3, 1, 1), persistent=False)
        self.features = nn.Sequential(
            unit(3, 8, 3, stride=2, activation=nn.Hardswish),
            Separable(8, 8, 3, stride=1),
            Separable(8, 12, 5, stride=2),
            Separable(12, 12, 5, stride=1),
        )
        self.classifier = nn.Sequential(nn.Dropout(0.0), nn.Linear(12, classes))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                fan = module.out_channels * module.kernel_size[0] * module.kernel_size[1] // module.groups
                module.weight.data.normal_(0, (2.0 / fan) ** 0.5)
            elif isinstance(module, nn.Linear):
                module.bias.data.zero_()

    def forward(self, images):
        x = self.features((images - self.mean) / self.std)
        return self.classifier(x.mean([2, 3]))


class Average:
    """The weights' running average, in a copy of the model."""

    def __init__(self, model, decay):
        self.model, self.decay = copy.deepcopy(model).eval(), decay

    @torch.no_grad()
    def update(self, model):
        current = model.state_dict()
        for name, value in self.model.state_dict().items():
            value.copy_(value.lerp(current[name], 1 - self.decay))


def make_model():
    return MobileNet()


def make_data(rng):
    return rng.uniform(0, 1, (5, 3, 16, 16)), rng.integers(0, 3, 5)


def train(model, images, labels):
    average = Average(model, decay=0.9)
    groups = [{"params": [], "weight_decay": 1e-3}, {"params": []}]
    for parameter in model.parameters():
        groups[parameter.ndim <= 1]["params"].append(parameter)
    optimizer = optim.SGD(groups, lr=0.02, momentum=0.9)
    scheduler = optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    losses = []
    for _ in range(5):
        loss = F.nll_loss(F.log_softmax(model(images), dim=1), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        average.update(model)
        losses.append(loss.item())
    with torch.inference_mode():
        losses.append(F.cross_entropy(average.model(images), labels).item())
    return losses
