"""The torch module of plain signal: the pipeline's features, differentiable, and a network that a plain loop trains."""

from __future__ import annotations

import re
from pathlib import Path

import mne
import numpy as np
import pytest
import torch

from realtime_mood.dsp.spec import FeatureSpec
from realtime_mood.errors import ConfigError, StreamMismatch
from realtime_mood.models import MoodReaderModule
from realtime_mood.models.card import DEFAULT
from realtime_mood.models.checkpoint import load_weights
from realtime_mood.models.sharing.torch_features import SignalFeatures, settle_s
from realtime_mood.models.sharing.torch_module import HIDE_LEVELS
from realtime_mood.models.train import TrainingRecipe
from realtime_mood.pipeline import Pipeline
from realtime_mood.sources.synthetic.person import Script, VirtualPerson
from realtime_mood.types import Chunk, StreamInfo

NAMES = ("Fp1", "Fp2", "F3", "F4", "O1", "O2")
SMALL = {"dim": 16, "band_dim": 8, "raw_dim": 16, "raw_depth": 1, "rounds": 1, "dropout": 0.1, "head_dropout": 0.1}


def module(**changed) -> MoodReaderModule:
    torch.manual_seed(0)
    return MoodReaderModule(
        **{"n_outputs": 2, "chs_info": NAMES, "n_times": 512, "sfreq": 128.0, "network": SMALL} | changed
    )


def test_levels_are_hidden_as_in_training():
    assert (*TrainingRecipe().hide_levels[:3], 0) == HIDE_LEVELS  # the module has no eyes to hide


@pytest.mark.parametrize(("sfreq", "n_times"), [(128.0, 1280), (250.0, 2503), (200.0, 2400), (128.0, 700)])
def test_its_features_are_those_of_the_pipeline(sfreq, n_times):
    seconds = n_times / sfreq
    spec = FeatureSpec(settle_s=settle_s(FeatureSpec(), seconds // 0.25 * 0.25))
    assert spec.settle_s == min(4, seconds // 0.25 * 0.25 - 4)
    signal = VirtualPerson(3, NAMES[:3], sfreq).signal(np.ceil(seconds))[:n_times] - 3000  # an offset of 3 mV
    pipeline = Pipeline(StreamInfo(NAMES[:3], sfreq), spec, None)
    *_, expected = (pipeline.features(w) for w in pipeline.push(Chunk(signal.astype(float), 0, seconds)))
    found = SignalFeatures(FeatureSpec(), sfreq, n_times)(torch.from_numpy(signal.T.copy())[None])
    np.testing.assert_array_equal(found.keep_steps[0], ~expected.step_mask)
    np.testing.assert_array_equal(found.keep_patches[0], ~expected.patch_mask)
    np.testing.assert_allclose(found.de[0], expected.de, atol=1e-5)
    np.testing.assert_allclose(found.patches[0], expected.patches, atol=1e-3)


def test_the_signal_has_a_gradient_and_a_constant_channel_is_masked():
    x = 10 * torch.randn(2, 6, 512, generator=torch.Generator().manual_seed(0))
    x[1, 5] = 7.0
    net = module().eval()
    assert net.features(x).keep_chans.logical_not().nonzero().tolist() == [[1, 5]]
    net(x.requires_grad_())[:, 0].sum().backward()
    assert torch.isfinite(x.grad).all()
    assert (x.grad.abs().sum(-1) > 0).sum() >= 11


def windows(seed: int, seconds: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    """Windows of a simulated subject in negative and positive states in turn."""
    states, block = ("negative", "positive") * 4, 24
    script = Script.parse(",".join(f"{state}:{block}" for state in states))
    signal = VirtualPerson(seed, NAMES, 128.0, script, "easy").signal(block * len(states))
    starts = [(k, t) for k in range(len(states)) for t in range(k * block + 8, (k + 1) * block, seconds)]
    x = np.stack([signal[t * 128 : (t + seconds) * 128].T for _, t in starts])
    return torch.from_numpy(x), torch.tensor([k % 2 for k, _ in starts])


def test_a_plain_loop_trains_it_on_a_simulated_emotion():
    x, y = windows(1)
    half, net = len(y) // 2, module()
    optimiser, some = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9), torch.Generator().manual_seed(0)
    for _ in range(20):
        chosen = torch.randint(half, (16,), generator=some)
        loss = torch.nn.functional.cross_entropy(net(x[chosen]), y[chosen])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.inference_mode():
        right = (net.eval()(x[half:]).argmax(1) == y[half:]).float().mean()
    assert right > 0.7
    again = module()
    again.load_state_dict(net.state_dict())
    assert torch.equal(again.eval()(x[:2]), net(x[:2]))


def test_it_starts_from_trained_weights_with_classes_of_its_own():
    weights = load_weights()
    net = module(n_outputs=5, weights=DEFAULT, network={}).eval()
    assert torch.equal(net.reader.raw_out.weight, weights.reader.raw_out.weight)
    assert net.final_layer.out_features == 5
    np.testing.assert_allclose(net.statistics.mean, weights.card.readouts["effort"].population_mean, rtol=1e-6)
    assert module(encoder=DEFAULT, network={"dim": 16}).reader.config.raw_dim == weights.reader.config.raw_dim


def test_it_has_the_parameters_and_shapes_of_braindecode():
    info = mne.create_info(["EEG Fp1", "T3", "O2-REF"], 250.0, "eeg")
    torch.manual_seed(0)
    net = MoodReaderModule(3, 3, info["chs"], None, 2.0, 250.0, network=SMALL)
    assert (net.n_outputs, net.n_chans, net.n_times, net.sfreq, net.input_shape) == (3, 3, 500, 250.0, (1, 3, 500))
    for _ in range(8):  # whichever levels are hidden
        assert net(10 * torch.randn(1, 3, 500)).shape == (1, 3)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"chs_info": None}, "a parameter is missing"),
        ({"n_chans": 4}, "n_chans=4 · chs_info has 6"),
        ({"input_window_seconds": 2.0}, "n_times=512 · input_window_seconds=2 at 128 Hz"),
        ({"chs_info": ["C3", "ECG"]}, "unknown: ECG"),
        ({"chs_info": ["T3", "T7"]}, "twice: T7"),
        ({"n_times": 100}, "a window of 0.781 s · give 1 s or more"),
        ({"sfreq": 90.0}, "gamma up to 45 Hz needs at least 99 Hz"),
    ],
)
def test_what_cannot_be_is_named(given, says):
    with pytest.raises((ConfigError, StreamMismatch), match=says):
        module(**given)


def test_volts_and_other_shapes_are_refused():
    net, x = module(), 1e-5 * torch.randn(4, 6, 512)
    with pytest.raises(ConfigError, match="give finite signal in µV, not in V"):
        net(x)
    with pytest.raises(ConfigError, match=r"of shape \(4, 512, 6\)"):
        net(x.transpose(1, 2))


def test_the_loop_of_the_documentation_runs():
    text = (Path(__file__).parents[2] / "docs" / "sharing.md").read_text()
    (code,) = re.findall(r"```python\n(import torch.*?)```", text, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(code, "sharing.md", "exec"), names)
    assert torch.isfinite(names["loss"])
