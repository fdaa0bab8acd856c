"""Trains ResNet-8 (option A, one block per stage) on shapes10 and writes its weights as safetensors."""
import argparse
import json
import struct
import time

import numpy
import torch
from torch import nn
from torch.nn import functional

MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
DEVIATION = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


class BasicBlock(nn.Module):
    def __init__(self, in_channels, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.added = channels - in_channels

    def forward(self, x):
        y = functional.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.added > 0:  # option A: every second pixel, zeros in the new channels
            x = functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.added // 2, self.added // 2))
        return functional.relu(y + x)


class ResNet8(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(BasicBlock(16, 16, 1))
        self.layer2 = nn.Sequential(BasicBlock(16, 32, 2))
        self.layer3 = nn.Sequential(BasicBlock(32, 64, 2))
        self.linear = nn.Linear(64, classes)
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, x):
        x = functional.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean(dim=(2, 3)))


def read_records(path):
    """The pixels (N, 3, 32, 32), u8, and the labels of a file in CIFAR-10's binary format."""
    records = numpy.fromfile(path, numpy.uint8).reshape(-1, 3073)
    return torch.from_numpy(records[:, 1:].reshape(-1, 3, 32, 32).copy()), torch.from_numpy(records[:, 0].astype(numpy.int64))


def preprocess(pixels):
    return (pixels.float() / 255 - MEAN) / DEVIATION


def augment(pixels):
    """Mirrors the batch half of the time and rolls it by up to two pixels; the shapes stay in their classes."""
    if torch.rand(()) < 0.5:
        pixels = pixels.flip(3)
    rows, columns = torch.randint(-2, 3, (2,)).tolist()
    return pixels.roll((rows, columns), (2, 3))


def train(model, pixels, labels, epochs, batch, rate):
    steps = epochs * (len(labels) // batch)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.15, anneal_strategy="cos")
    model.train()
    for epoch in range(epochs):
        start, total = time.time(), 0.0
        order = torch.randperm(len(labels))
        for chosen in order[: len(labels) // batch * batch].split(batch):
            loss = functional.cross_entropy(model(preprocess(augment(pixels[chosen]))), labels[chosen])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * batch
        print(f"epoch {epoch + 1}/{epochs}: loss {total / len(labels):.4f}, {time.time() - start:.1f} s", flush=True)


@torch.no_grad()
def logits_of(model, pixels):
    model.eval()
    return torch.cat([model(preprocess(part)) for part in pixels.split(100)])


def write_safetensors(path, tensors, metadata):
    """F32 tensors without gaps after a JSON header, which starts with its length (u64, little-endian)."""
    header, offset = {"__metadata__": metadata}, 0
    for name, values in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [offset, offset + 4 * values.numel()]}
        offset += 4 * values.numel()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            file.write(values.detach().contiguous().numpy().astype("<f4").tobytes())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("training", help="training images, CIFAR-10 binary format")
    parser.add_argument("test", help="the test split in the same format")
    parser.add_argument("weights", help="the .safetensors file to write")
    parser.add_argument("--logits", help="a .safetensors file for the logits of the test split")
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=0.1)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(arguments.seed)
    model = ResNet8()
    train(model, *read_records(arguments.training), arguments.epochs, arguments.batch, arguments.rate)

    pixels, labels = read_records(arguments.test)
    logits = logits_of(model, pixels)
    guesses = logits.argmax(1)
    top1 = f"{(guesses == labels).sum().item()}/{len(labels)}"
    print("top-1", top1)
    print("confusion (row: label, column: guess)")
    print(torch.bincount(labels * 10 + guesses, minlength=100).view(10, 10).numpy())

    metadata = {"model": "resnet8_a", "dataset": "shapes10", "preprocessing": "imagenet_normalization", "top1": top1}
    state = {name: values for name, values in model.state_dict().items() if not name.endswith("num_batches_tracked")}
    write_safetensors(arguments.weights, state, metadata)
    if arguments.logits:
        write_safetensors(arguments.logits, {"logits": logits}, metadata)


if __name__ == "__main__":
    main()
