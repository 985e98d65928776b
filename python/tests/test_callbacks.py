"""Measuring while Lightning or Hugging Face's Trainer trains."""

import importlib.util

import deepfreq as df
import pytest

torch = pytest.importorskip("torch")


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(300, 20, generator=generator), torch.randint(0, 3, (300,), generator=generator)


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = torch.nn.Linear(20, 16)
        self.fc2 = torch.nn.Linear(16, 3)

    def forward(self, x):
        return self.fc2(torch.tanh(self.fc1(x)))


def test_lightning(data, tmp_path):
    if not any(map(importlib.util.find_spec, ("lightning", "pytorch_lightning"))):
        pytest.skip("neither lightning nor pytorch_lightning is installed")
    lightning = pytest.importorskip("lightning.pytorch")
    from deepfreq.lightning import SpectrumCallback

    class Module(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.network = Network()

        def forward(self, x):
            return self.network(x)

        def training_step(self, batch, index):
            return torch.nn.functional.cross_entropy(self(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), 0.1)

    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*data), batch_size=50)
    callback = SpectrumCallback("network.*", data, every=2)
    trainer = lightning.Trainer(max_epochs=4, callbacks=[callback], default_root_dir=tmp_path, accelerator="cpu", logger=False,
                                enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False)
    trainer.fit(Module(), loader)
    assert list(callback.probe.history) == [0, 2, 4]
    assert list(callback.probe.history[4]) == ["network.fc1", "network.fc2"]
    with pytest.raises(df.InputError, match="every is 0, at least 1 expected"):
        SpectrumCallback(every=0)


def test_hugging_face(data, tmp_path):
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("accelerate")
    from deepfreq.hugging_face import SpectrumCallback

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = Network()

        def forward(self, x, labels=None):
            logits = self.network(x)
            return {"logits": logits} if labels is None else {"loss": torch.nn.functional.cross_entropy(logits, labels),
                                                              "logits": logits}

    rows = [{"x": x, "labels": y} for x, y in zip(*data)]
    callback = SpectrumCallback("network.fc*", torch.utils.data.DataLoader(rows, batch_size=100), samples=200)
    arguments = transformers.TrainingArguments(tmp_path, num_train_epochs=2, per_device_train_batch_size=50, use_cpu=True,
                                               report_to="none", save_strategy="no", disable_tqdm=True)
    transformers.Trainer(Model(), arguments, train_dataset=rows, callbacks=[callback]).train()
    assert list(callback.probe.history) == [0, 1, 2]
    assert callback.probe.history[2]["network.fc1"].n == 200
