# %% [markdown]
# # The blocks of a residual network
# A small ResNet of the kind torchvision has, on images drawn here: discs, squares, crosses and stripes in noise. Patterns
# choose the layers; pooled features of each block are measured while it trains.

# %%
import deepfreq as df
import torch
from torch import nn

SIZE, SAMPLES, EPOCHS = 16, 1000, 3
generator = torch.Generator().manual_seed(0)


# %%
def shapes(n):
    y = torch.randint(0, 4, (n,), generator=generator)
    u, v = torch.meshgrid(torch.linspace(-1, 1, SIZE), torch.linspace(-1, 1, SIZE), indexing="ij")
    masks = torch.stack([(u**2 + v**2 < 0.4), (u.abs() < 0.6) & (v.abs() < 0.6), (u.abs() < 0.2) | (v.abs() < 0.2),
                         (6 * u).sin() > 0]).float()
    noise = 0.7 * torch.randn(n, 3, SIZE, SIZE, generator=generator)
    return masks[y][:, None] + noise, y


class Block(nn.Module):
    def __init__(self, channels_in, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Conv2d(channels_in, channels, 1, stride, bias=False)

    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (y + self.shortcut(x)).relu()


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1, self.layer2, self.layer3 = Block(3, 16, 1), Block(16, 32, 2), Block(32, 64, 2)
        self.avgpool, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.fc = nn.Linear(64, 4)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.fc(self.flatten(self.avgpool(x)))


# %%
torch.manual_seed(0)
model = ResNet()
x, y = shapes(SAMPLES)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=50, shuffle=True)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

# %%
with df.Probe(model, ["layer*", "flatten"], loader, normalize="centred") as probe:
    print("epoch 0:", probe.measure(0))
    for epoch in range(1, EPOCHS + 1):
        for images, labels in loader:
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images), labels).backward()
            optimizer.step()
        print(f"epoch {epoch}:", probe.measure(epoch))

# %%
probe.plot().savefig("resnet_probe.png")
