"""The layers of PyTorch models: as features collected by hand, and without a trace in the model."""

import random

import deepfreq as df
import numpy as np
import pytest
from conftest import same

torch = pytest.importorskip("torch")
nn = torch.nn


class Network(nn.Module):
    """Two blocks with dropout and batch normalisation, which behave in another way while they train."""

    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(20, 16)
        self.blocks = nn.ModuleList(
            nn.ModuleDict({"norm": nn.BatchNorm1d(16), "mlp": nn.Sequential(nn.Linear(16, 16), nn.Tanh(), nn.Dropout(0.5))})
            for _ in range(2))
        self.head = nn.Linear(16, 3)
        self.unused = nn.Linear(1, 1)

    def forward(self, x):
        x = torch.tanh(self.fc1(x))
        for block in self.blocks:
            x = x + block["mlp"](block["norm"](x))
        return self.head(x)


LAYERS = ["fc1", "blocks.0.mlp", "blocks.1.mlp", "head"]


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Network()


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(1)
    return torch.randn(500, 20, generator=generator), torch.randint(0, 3, (500,), generator=generator)


def loader(data, **options):
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*data), batch_size=64, **options)


def collected_by_hand(model, x):
    """{layer: what it gives}, from the definition of the network."""
    model.eval()
    found = {}
    with torch.no_grad():
        found["fc1"] = model.fc1(x)
        h = torch.tanh(found["fc1"])
        for i, block in enumerate(model.blocks):
            found[f"blocks.{i}.mlp"] = block["mlp"](block["norm"](h))
            h = h + found[f"blocks.{i}.mlp"]
        found["head"] = model.head(h)
    model.train()
    return found


def check_by_hand(probe, model, data):
    expected = df.spectra(collected_by_hand(model, data[0]), data[1])
    found = probe.measure()
    assert list(found) == LAYERS
    for name in LAYERS:  # batches of another size may round another way
        assert np.allclose(found[name].inv_delta, expected[name].inv_delta, rtol=1e-5)
        assert np.allclose(found[name].lfr, expected[name].lfr, atol=1e-5)


@pytest.mark.parametrize("of", [loader, lambda data: data], ids=["loader", "tensors"])
def test_spectra_are_those_of_features_collected_by_hand(model, data, of):
    with df.Probe(model, ["fc1", "blocks.*.mlp", "head"], of(data)) as probe:
        check_by_hand(probe, model, data)
        assert probe.layers == LAYERS and list(probe.history) == [0]


def state(model):
    """All that a measurement could leave behind."""
    return ([module.training for module in model.modules()], [len(module._forward_hooks) for module in model.modules()],
            [p.grad is None for p in model.parameters()], {k: v.tolist() for k, v in model.state_dict().items()},
            torch.get_rng_state().tolist(), random.getstate(), np.random.get_state()[1].tolist(), torch.is_grad_enabled())


def test_the_model_and_all_random_states_are_as_before(model, data):
    model.train()
    model.blocks[1].eval()
    before = state(model)
    probe = df.Probe(model, LAYERS, loader(data, shuffle=True))
    probe.measure()
    assert state(model) == before


def test_so_they_are_after_an_exception(model, data):
    def fails(model, batch):
        model(batch[0])
        torch.rand(1), random.random(), np.random.rand()
        raise RuntimeError("in the middle")

    before = state(model)
    with pytest.raises(RuntimeError, match="in the middle"):
        df.Probe(model, LAYERS, loader(data), step=fails).measure()
    assert state(model) == before


def test_training_goes_on_as_if_nothing_had_been_measured(data):
    def train(measuring):
        torch.manual_seed(0)
        model = Network()
        optimizer = torch.optim.Adam(model.parameters())
        batches = loader(data, shuffle=True)
        probe = df.Probe(model, LAYERS, loader(data), samples=100)
        losses = []
        for epoch in range(2):
            for x, y in batches:
                loss = nn.functional.cross_entropy(model(x), y)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
            if measuring:
                probe.measure(epoch + 1)
        return losses, probe

    without, _ = train(False)
    losses, probe = train(True)
    assert losses == without
    assert list(probe.history) == [1, 2]


def test_above_the_memory_limit_one_layer_at_a_time_gives_the_same(model, data):
    runs = []

    def counted(model, batch):
        runs.append(len(batch[0]))
        model(batch[0])
        return batch[1]

    shuffled = loader(data, shuffle=True)
    torch.manual_seed(3)
    at_once = df.Probe(model, LAYERS, shuffled, step=counted, samples=400).measure()
    batches = len(runs)
    torch.manual_seed(3)
    one_by_one = df.Probe(model, LAYERS, shuffled, step=counted, samples=400, memory_limit=1).measure()
    assert len(runs) - batches > 4 * batches
    for name in LAYERS:
        assert same(at_once[name], one_by_one[name])


@pytest.mark.parametrize("limit", [4 << 30, 1])
def test_a_row_that_dwarfs_all_others_is_told_of_once_a_layer(model, data, limit):
    x, y = data
    x[7] *= 1e9
    with df.Probe(model, "fc1", (x, y), inv_delta=[0.1, 1.0], normalize="none", memory_limit=limit) as probe:
        with pytest.warns(UserWarning) as told:
            probe.measure()
    assert [str(one.message)[:17] for one in told if "times as long" in str(one.message)] == ["fc1: row 7 is 1e+"]
    assert told[0].filename == __file__


def test_half_precision_models_and_dictionaries_of_batches(data):
    class Takes(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(20, 8)

        def forward(self, x, scale):
            return self.layer(x * scale[:, None])

    torch.manual_seed(0)
    model = Takes().bfloat16()
    x, y = data[0].bfloat16(), data[1]
    batches = [{"x": x[i:i + 100], "scale": torch.ones(100, dtype=torch.bfloat16), "labels": y[i:i + 100]}
               for i in range(0, 500, 100)]
    found = df.Probe(model, "layer", batches, samples=500).measure()["layer"]
    with torch.no_grad():
        expected = df.lfr(torch.cat([model.layer(part["x"]) for part in batches]).float(), y)
    assert same(found, expected)


def test_samples_are_the_first_so_many(model, data):
    found = df.Probe(model, LAYERS, loader(data), samples=100).measure()["fc1"]
    assert found.n == 100
    with pytest.raises(df.InputError, match="data: 500 samples found, the 501 asked for expected"):
        df.Probe(model, LAYERS, loader(data), samples=501).measure()
    assert df.Probe(model, LAYERS, loader(data, drop_last=True)).measure()["fc1"].n == 448


def test_wrappers_of_the_model_are_looked_through(model, data):
    check_by_hand(df.Probe(nn.DataParallel(model), LAYERS, data), model, data)


def test_a_distributed_model(model, data, tmp_path):
    distributed = torch.distributed
    if not distributed.is_available():
        pytest.skip("this PyTorch has no torch.distributed")
    distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/rendezvous", rank=0, world_size=1)
    try:
        wrapped = nn.parallel.DistributedDataParallel(model, find_unused_parameters=True)
        check_by_hand(df.Probe(wrapped, LAYERS, data), model, data)
    finally:
        distributed.destroy_process_group()


@pytest.mark.skipif(not hasattr(torch, "compile"), reason="this PyTorch has no torch.compile")
def test_a_compiled_model_runs_as_python_for_its_hooks(model, data):
    compiled = torch.compile(model, backend="eager")
    compiled(data[0])
    check_by_hand(df.Probe(compiled, LAYERS, data), model, data)
    model.fc1 = torch.compile(model.fc1, backend="eager")
    check_by_hand(df.Probe(model, LAYERS, data), model, data)
    model.head.compile(backend="eager")
    model(data[0])
    check_by_hand(df.Probe(model, LAYERS, data), model, data)
    assert model.head._compiled_call_impl is not None


class Odd(nn.Module):
    """Layers that cannot be measured."""

    def __init__(self):
        super().__init__()
        self.recurrent = nn.LSTM(20, 5, batch_first=True)
        self.twice = nn.Linear(20, 20)
        self.never = nn.Linear(2, 2)
        self.whole = nn.Flatten(0)
        self.argmax = Argmax()

    def forward(self, x):
        self.recurrent(x[:, None])
        self.argmax(x)
        self.whole(x)
        return self.twice(self.twice(x))


class Argmax(nn.Module):
    def forward(self, x):
        return x.argmax(1)


@pytest.mark.parametrize("layer, sentence", [
    ("recurrent", "layer 'recurrent' gives a tuple, a tensor expected"),
    ("twice", "layer 'twice' is called twice in one run of the model"),
    ("never", "layer 'never' was not called when the model ran"),
    ("whole", r"layer 'whole' gives shape \(10000,\) for 500 targets; a row for each sample expected"),
    ("argmax", "layer 'argmax' gives torch.int64, floating point expected"),
    ("twise", "layers: 'twise' matches no layer of Odd; the nearest names are 'twice'"),
    ([], "layers: an empty list found"),
])
def test_layers_that_cannot_be_measured_are_named(data, layer, sentence):
    model = Odd()
    with pytest.raises(df.InputError, match=sentence):
        df.Probe(model, layer, data).measure()
    assert not any(module._forward_hooks for module in model.modules())


def test_patterns_do_not_reach_across_dots(model, data):
    assert df.Probe(model, "*", data).layers == ["fc1", "blocks", "head", "unused"]
    assert df.Probe(model, ["blocks.1.*", "fc*"], data).layers == ["fc1", "blocks.1.norm", "blocks.1.mlp"]


@pytest.mark.parametrize("options, kind, sentence", [
    ({"data": None}, df.InputError, "data: None found"),
    ({"samples": 0}, df.InputError, "samples is 0, at least 1 expected"),
    ({"normalize": "no"}, df.InputError, "normalize is 'no', expected one of"),
    ({"inv_delta": [2, 1]}, df.InputError, "inv_delta: 1.0 found after 2.0"),
    ({"model": 3}, TypeError, "model: int found, a torch.nn.Module expected"),
])
def test_wrong_arguments_are_refused_at_once(model, data, options, kind, sentence):
    with pytest.raises(kind, match=sentence):
        df.Probe(**{"model": model, "data": data, "layers": "fc1", **options})


def test_batches_and_data_that_are_not_understood(model, data):
    with pytest.raises(df.InputError, match="data: its number of samples is not known; samples=N expected"):
        df.Probe(model, LAYERS, iter([data]))
    for batch, sentence in ((data[0], "a batch that is a Tensor found"), ({"x": data[0]}, "a batch with 'x' found")):
        with pytest.raises(df.InputError, match=sentence):
            df.Probe(model, LAYERS, [batch], samples=10).measure()
    with pytest.raises(df.InputError, match="data: no batch found"):
        df.Probe(model, LAYERS, loader((data[0][:5], data[1][:5]), drop_last=True)).measure()


def test_fsdp_is_refused(model, data):
    class FullyShardedDataParallel(nn.Module):
        pass

    model.fc1 = FullyShardedDataParallel()
    with pytest.raises(df.InputError, match=r"FullyShardedDataParallel \(FSDP\) found"):
        df.Probe(model, LAYERS, data)


def test_a_closed_probe_measures_no_more_and_keeps_its_history(model, data, tmp_path):
    with df.Probe(model, LAYERS, data) as probe:
        probe.measure(0)
        probe.measure(2.5)
    with pytest.raises(df.InputError, match="the probe is closed"):
        probe.measure()
    assert repr(probe) == "Probe(fc1, blocks.0.mlp, blocks.1.mlp, head: measured at 2 epochs)"
    probe.to_csv(tmp_path)
    assert sorted(set(df.load_run(tmp_path)["rdf"]["epoch"])) == [0, 2.5]


def test_the_plot_is_that_of_the_apps(model, data):
    pytest.importorskip("matplotlib")
    probe = df.Probe(model, LAYERS, data)
    with pytest.raises(df.InputError, match="nothing is measured yet"):
        probe.plot()
    probe.measure()
    probe.measure()
    figure = probe.plot()
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title() for axes in panels] == ["(a) epoch 0", "(b) epoch 1"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [f"layer {name}" for name in LAYERS]
    assert len(probe.plot("lfr").axes[0].lines) == len(LAYERS)
