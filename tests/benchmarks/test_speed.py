"""Speed and memory, each beside a named peer in the same run.

Run with `pytest tests/benchmarks --benchmark-only`; ratios stand at the end of the output. Nothing
here asserts a time: machines differ, ratios are for reading.
"""

import json
import os
import resource
import subprocess
import sys
import time
import timeit

import keras
import numpy as np
import pytest
import skimage.color
import skimage.data
import skimage.metrics
from keras import ops
from PIL import Image, ImageEnhance
from sklearn.neighbors import NearestNeighbors

from colorkit import (
    LAB,
    ColorBins,
    Colorizer,
    evaluate_pairs,
    experiments,
    load,
    models,
    pairs,
    rgb_to_lab,
)
from colorkit.color.spaces import fit_gamut
from colorkit.data.image_files import read_picture, write_picture
from colorkit.experiments.hardware import precision
from colorkit.losses import RebalancedCrossentropy


def seconds(function):
    return timeit.timeit(function, number=1)


def median_seconds(function, rounds=5):
    function()
    return float(np.median(timeit.repeat(function, number=1, repeat=rounds)))


def median_ratio(one, other, rounds):
    """Time of one function over that of another, in turn: a machine may change its speed."""
    return float(np.median([seconds(one) / seconds(other) for _ in range(rounds)]))


def compiled(function):
    """`function` compiled as Keras compiles a training step with `jit_compile=True`."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(function, jit_compile=True, autograph=False)
    if keras.backend.backend() == "jax":
        import jax

        return lambda *arguments: jax.block_until_ready(jax.jit(function)(*arguments))
    return function


def test_soft_codes_against_scikit_learn(benchmark, rng):
    """Five neighbors of 313: two small arrays, against the route of Zhang et al.'s own code."""
    bins = ColorBins.gamut()
    chroma = rng.normal(0, 20, (8, 112, 112, 2)).astype("float32")
    tensor = ops.convert_to_tensor(chroma)
    encode = compiled(bins.soft_encode)

    def ours():
        return ops.convert_to_numpy(encode(tensor)[1])

    neighbors = NearestNeighbors(n_neighbors=5, algorithm="ball_tree").fit(bins.centers)

    def peer():
        points = chroma.reshape(-1, 2)
        distances, indices = neighbors.kneighbors(points)
        weights = np.exp(-(distances**2) / (2 * 5.0**2))
        dense = np.zeros((len(points), bins.num_bins))
        dense[np.arange(len(points))[:, None], indices] = weights / weights.sum(1, keepdims=True)
        return dense

    ours()
    benchmark(ours)
    benchmark.extra_info["times as fast as scikit-learn"] = (
        median_seconds(peer, 3) / benchmark.stats.stats.median
    )


def test_rgb_to_lab_against_scikit_image(benchmark, rng):
    rgb = rng.random((128, 64, 64, 3), dtype="float32")
    tensor = ops.convert_to_tensor(rgb)
    convert = compiled(rgb_to_lab)

    def ours():
        return ops.convert_to_numpy(convert(tensor))

    ours()
    benchmark(ours)
    peer = median_seconds(lambda: skimage.color.rgb2lab(rgb))
    benchmark.extra_info["times as fast as scikit-image"] = peer / benchmark.stats.stats.median


class Prepared(keras.utils.PyDataset):
    """Batches that were made before: the same compiled step, fed from memory."""

    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


def measure_pipeline(benchmark, model, pipeline, rounds):
    """Time an epoch on a pipeline beside an epoch on its batches in memory; return seconds."""
    memory = Prepared([pipeline[i] for i in range(len(pipeline))])

    def fit_pipeline():
        model.fit(pipeline, shuffle=False, verbose=0)

    def fit_memory():
        model.fit(memory, shuffle=False, verbose=0)

    fit_pipeline()
    fit_memory()
    ratio = median_ratio(fit_memory, fit_pipeline, rounds)
    benchmark.pedantic(fit_pipeline, rounds=1)
    benchmark.extra_info["throughput as a share of arrays in memory"] = ratio
    return benchmark.stats.stats.median


def test_fit_on_the_pipeline_against_arrays_in_memory(benchmark, rng):
    images = rng.integers(0, 256, (256, 32, 32, 3), dtype="uint8")
    model = models.build_conv_classification(313)
    loss = RebalancedCrossentropy(ColorBins.gamut(), neighbors=5)
    model.compile("adam", loss, jit_compile=False)
    pipeline = pairs(images, batch_size=64, augment=True)
    epoch = measure_pipeline(benchmark, model, pipeline, 15)
    benchmark.extra_info["pictures a second"] = len(images) / epoch


@pytest.mark.parametrize("kept", [True, False], ids=["read once", "read each time"])
def test_fit_on_jpeg_files_against_arrays_in_memory(benchmark, rng, tmp_path, kept):
    """Files as a camera writes them, with crops of 128 pixels, for the U-Net of the flowers."""
    for i in range(64):
        smooth = rng.integers(0, 256, (20, 27, 3), dtype="uint8")
        Image.fromarray(smooth).resize((216, 160), 3).save(tmp_path / f"{i:02}.jpg", quality=92)
    images = load(f"folder:{tmp_path}", "all")
    images = images.decoded(list(images)) if kept else images  # experiments keep up to 2 GiB
    model = models.build_unet(widths=(16, 32, 64, 128))
    model.compile("adam", "mae", jit_compile=False)
    pipeline = pairs(images, batch_size=16, augment=True, crop=128)
    measure_pipeline(benchmark, model, pipeline, 7)


TRAINING_STEP = """
import json, resource, sys, time
import keras, numpy as np
from keras import ops
from colorkit import ColorBins, models
from colorkit.losses import RebalancedCrossentropy

kind, network = sys.argv[1:]
batch, size, stride = {"convolution": (8, 224, 1), "zhang": (16, 128, 4)}[network]
bins, weights = ColorBins.gamut(), np.linspace(0.5, 2, 313).astype("float32")
rng = np.random.default_rng(0)
lightness = rng.uniform(0, 100, (batch, size, size, 1)).astype("float32")
chroma = rng.normal(0, 20, (batch, size, size, 2)).astype("float32")

def dense(y_true, y_pred):
    # The usual formulation: a one-hot of all bins for every pixel.
    indices, codes = bins.soft_encode(y_true[:, ::stride, ::stride])
    target = ops.sum(ops.one_hot(indices, 313) * codes[..., None], axis=-2)
    loss = -ops.sum(target * ops.log_softmax(y_pred, axis=-1), axis=-1)
    return loss * ops.take(ops.convert_to_tensor(weights), ops.argmax(target, axis=-1))

if network == "zhang":
    model = models.build_zhang()
else:
    inputs = keras.Input((None, None, 1))
    model = keras.Model(inputs, keras.layers.Conv2D(313, 1)(inputs))
loss = RebalancedCrossentropy(bins, weights, neighbors=5, stride=stride)
loss = dense if kind == "dense" else loss
model.compile("sgd", loss, jit_compile=False)
model.train_on_batch(lightness[:1, :16, :16], chroma[:1, :16, :16])
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
model.train_on_batch(lightness, chroma)  # traced for this size, too
mebibytes = peak() - before
laps = []
for _ in range(3):
    start = time.perf_counter()
    model.train_on_batch(lightness, chroma)
    laps.append(time.perf_counter() - start)
seconds = sorted(laps)[1]
print(json.dumps({"mebibytes": mebibytes, "seconds": seconds, "pictures": batch / seconds}))
"""


@pytest.mark.parametrize("network", ["convolution", "zhang"])
def test_memory_of_a_rebalanced_step_against_dense_targets(benchmark, network):
    """Peak main memory that one step with 313 bins adds to the process, and time of later ones.

    One convolution at 8 x 224 x 224, scores for every pixel, and the whole network of Zhang et al.
    at 16 x 128 x 128, scores for every fourth.
    """

    def step(kind):
        command = [sys.executable, "-c", TRAINING_STEP, kind, network]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return json.loads(done.stdout.splitlines()[-1])

    ours = benchmark.pedantic(step, args=("sparse",), rounds=1)
    peer = step("dense")
    benchmark.extra_info["pictures a second"] = ours["pictures"]
    benchmark.extra_info["peak MiB"] = ours["mebibytes"]
    benchmark.extra_info["peak MiB with dense one-hot targets"] = peer["mebibytes"]
    benchmark.extra_info["share of the memory"] = ours["mebibytes"] / peer["mebibytes"]
    benchmark.extra_info["times as fast as dense"] = peer["seconds"] / ours["seconds"]


def cpu_seconds(function):
    start = time.process_time()
    function()
    return time.process_time() - start


def test_warm_picture_against_its_network_alone(benchmark):
    """384 x 256 with the CIFAR model, against Keras's network on the picture and its mirror image.

    CPU time, as other processes disturb it least.
    """
    colorizer = Colorizer.pretrained("cifar10")
    photo = np.asarray(Image.fromarray(skimage.data.coffee()).resize((384, 256)))
    small = np.full((2, *colorizer.network_size(256, 384), 1), 50.0, "float32")
    colorizer.model.compile(jit_compile=False)

    def color():
        return colorizer(photo)

    def network():
        return colorizer.model.predict_on_batch(small)

    for function in (color, network) * 2:
        function()
    ratios = [cpu_seconds(color) / cpu_seconds(network) for _ in range(15)]
    benchmark.pedantic(color, rounds=15)
    benchmark.extra_info["times the CPU time of the network alone"] = float(np.median(ratios))
    benchmark.extra_info["CPU milliseconds"] = 1e3 * min(cpu_seconds(color) for _ in range(15))


def test_merging_lab_against_scikit_image(benchmark, rng):
    """A megapixel; scikit-image clips channel by channel, ours keeps the lightness."""
    lightness = rng.uniform(20, 80, (1000, 1000, 1)).astype("float32")
    chroma = rng.normal(0, 12, (1000, 1000, 2)).astype("float32")
    lab = np.concatenate([lightness, chroma], axis=-1)

    def ours():
        return fit_gamut(lightness, chroma)

    ratio = median_ratio(lambda: skimage.color.lab2rgb(lab), ours, 5)
    benchmark.pedantic(ours, rounds=5)
    benchmark.extra_info["times as fast as scikit-image"] = ratio


def test_cold_start_against_importing_keras(benchmark, tmp_path):
    """CPU time of whole processes: one picture from the command line, the help, and the import."""
    photo = Image.fromarray(skimage.data.coffee()).resize((384, 256))
    write_picture(tmp_path / "photo.png", np.asarray(photo))
    color = ["-m", "colorkit", "colorize", tmp_path / "photo.png", "-o", tmp_path / "out.png"]

    def process(*arguments):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def start(*arguments):
        return float(np.median([process(*arguments) for _ in range(3)]))

    keras = start("-c", "import keras")
    for name in ("cifar10", "photos"):
        ratio = start(*color, "--overwrite", "--model", name) / keras
        benchmark.extra_info[f"times import keras, {name}"] = ratio
    benchmark.extra_info["CPU seconds of import keras"] = keras
    benchmark.extra_info["CPU seconds of --help"] = start("-m", "colorkit", "--help")
    benchmark.pedantic(process, args=("-m", "colorkit", "--help"), rounds=1)


TWELVE_MEGAPIXELS = """
import json, resource, sys, time
import numpy as np
from colorkit import Colorizer
from colorkit.color.spaces import fit_gamut
from colorkit.data.image_files import read_picture, write_picture
from colorkit.experiments.hardware import precision

seconds, start = {}, time.perf_counter()
def lap(name):
    global start
    seconds[name], start = time.perf_counter() - start, time.perf_counter()
colorizer = Colorizer.load(sys.argv[1])
lap("load the model")
rgb = read_picture(sys.argv[2])
lap("decode the JPEG")
colored = colorizer(rgb)
lap("color, the network included")
colorizer.predict(np.full((1, 64, 85, 1), 50.0))
lap("network alone")
write_picture(sys.argv[3], colored)
lap("encode the JPEG")
seconds["peak MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps(seconds))
"""


def test_twelve_megapixel_photograph(benchmark, tmp_path):
    """Wall time of each part, and peak memory of the whole process, at 4000 x 3000."""
    model = models.build_conv_classification(313)
    Colorizer(model, bins=ColorBins.gamut(), size=64).save(tmp_path / "model.keras")
    photo = Image.fromarray(skimage.data.coffee()).resize((4000, 3000), Image.Resampling.BICUBIC)
    write_picture(tmp_path / "photo.jpg", np.asarray(photo))
    arguments = [str(tmp_path / name) for name in ("model.keras", "photo.jpg", "colored.jpg")]

    def color():
        return subprocess.run(
            [sys.executable, "-c", TWELVE_MEGAPIXELS, *arguments],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip

    output = benchmark.pedantic(color, rounds=1)
    benchmark.extra_info.update(json.loads(output.splitlines()[-1]))
    assert read_picture(tmp_path / "colored.jpg").shape == (3000, 4000, 3)


def test_folder_against_one_image_after_the_other(benchmark, tmp_path):
    """Files of 640 x 480, read, colored and written by the model for photographs."""
    photos = [skimage.data.coffee(), skimage.data.astronaut(), skimage.data.cat()]
    paths = [tmp_path / f"{i:02}.jpg" for i in range(24)]
    for i, path in enumerate(paths):
        photo = Image.fromarray(np.roll(photos[i % 3], 40 * i, axis=1))
        write_picture(path, np.asarray(photo.resize((640, 480))))
    colorizer = Colorizer.pretrained("photos")

    def write(index, rgb):
        write_picture(tmp_path / "colored" / paths[index].name, rgb)

    def folder():
        assert not any(colorizer.stream(paths, write))

    def one_after_the_other():
        for i, path in enumerate(paths):
            write(i, colorizer(path))

    folder()
    one_after_the_other()
    ratio = median_ratio(one_after_the_other, folder, 3)
    benchmark.pedantic(folder, rounds=1)
    benchmark.extra_info["times as fast as one image after the other"] = ratio
    benchmark.extra_info["images per second"] = len(paths) / benchmark.stats.stats.median


def test_evaluating_pairs_against_scikit_image(benchmark, tmp_path):
    """All metrics and references of many pairs, against three metrics of the colored images."""
    photograph = Image.fromarray(skimage.data.astronaut())
    for i in range(300):
        left, top = i % 100, i // 3
        image = photograph.crop((left, top, left + 384, top + 384)).resize((256, 256))
        for kind, saved in (("truth", image), ("colored", ImageEnhance.Color(image).enhance(0.6))):
            for folder in ("all", "few") if i < 200 else ("all",):
                (tmp_path / folder / kind).mkdir(parents=True, exist_ok=True)
                saved.save(tmp_path / folder / kind / f"{i}.png")

    def ours(folder, sample):
        evaluate_pairs(tmp_path / folder / "colored", tmp_path / folder / "truth", sample=sample)

    def peer():
        for i in range(10):
            true, rgb = (
                read_picture(tmp_path / "all" / kind / f"{i}.png") for kind in ("truth", "colored")
            )
            skimage.metrics.peak_signal_noise_ratio(true, rgb)
            skimage.metrics.structural_similarity(true, rgb, channel_axis=-1)
            skimage.color.deltaE_ciede2000(skimage.color.rgb2lab(true), skimage.color.rgb2lab(rgb))

    benchmark.pedantic(ours, ("all", 100), rounds=1)
    each = (seconds(lambda: ours("all", 0)) - seconds(lambda: ours("few", 0))) / 100
    total = benchmark.stats.stats.median + 700 * each  # the slow metrics are for 100 pairs
    benchmark.extra_info["seconds of 1,000 pairs of 256 x 256"] = total
    benchmark.extra_info["one pair over three metrics of scikit-image"] = each / (
        seconds(peer) / 10
    )


@pytest.mark.parametrize("num_bins", [81, 313])
def test_decoding_of_a_batch(benchmark, rng, num_bins):
    bins = ColorBins.grid(81) if num_bins == 81 else ColorBins.gamut()
    logits = ops.convert_to_tensor(rng.normal(size=(64, 32, 32, num_bins)).astype("float32"))
    decode = compiled(bins.decode)
    decode(logits)
    benchmark(lambda: LAB.merge(ops.full((64, 32, 32, 1), 50.0), decode(logits)))


def convolutions_alone(model, lightness):
    """A compiled function: all convolutions of a network, forward and backward, nothing else."""
    import tensorflow as tf

    kinds = keras.layers.Conv2D, keras.layers.Conv2DTranspose
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, kinds)]
    found = keras.Model(model.inputs[0], [layer.input for layer in layers])(lightness)
    inputs = [tf.cast(x, layer.compute_dtype) for layer, x in zip(layers, found, strict=True)]
    kernels = [tf.Variable(tf.cast(x.kernel, x.compute_dtype)) for x in layers]

    @tf.function(autograph=False)
    def run():
        gradients = []
        for layer, x, kernel in zip(layers, inputs, kernels, strict=True):
            with tf.GradientTape() as tape:
                tape.watch(x)
                options = layer.strides[0], layer.padding, layer.data_format, layer.dilation_rate[0]
                strides, padding, data_format, dilation = options
                if isinstance(layer, keras.layers.Conv2DTranspose):
                    y = ops.conv_transpose(x, kernel, strides, padding)
                else:
                    y = ops.conv(x, kernel, strides, padding, data_format, dilation)
            gradients += tape.gradient(y, [x, kernel])
        return [tf.reduce_sum(gradient) for gradient in gradients]

    return lambda: [x.numpy() for x in run()[-1:]]


STEPS = {  # network, stride, side, batch
    "champati": (models.build_conv_classification, 1, 32, 64),
    "residual_unet": (models.build_residual_unet, 1, 32, 64),
    "zhang": (models.build_zhang, 4, 64, 16),
}


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="gradients of TensorFlow")
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("name", STEPS)
def test_training_step_against_its_convolutions_alone(benchmark, rng, name, policy):
    """A whole step with 313 bins; the share that convolutions need of its time is the limit."""
    build, stride, side, batch = STEPS[name]
    bins = ColorBins.gamut()
    with precision(policy):
        model = build(bins.num_bins)
    loss = RebalancedCrossentropy(bins, neighbors=5, stride=stride)
    model.compile("adam", loss, jit_compile=False)
    lightness = rng.uniform(0, 100, (batch, side, side, 1)).astype("float32")
    chroma = rng.normal(0, 20, (batch, side, side, 2)).astype("float32")
    alone = convolutions_alone(model, lightness)

    def step():
        model.train_on_batch(lightness, chroma)

    for function in (step, alone) * 2:
        function()
    benchmark.extra_info["convolutions alone over the step"] = median_ratio(alone, step, 9)
    benchmark.pedantic(step, rounds=3)
    benchmark.extra_info["images per second"] = batch / benchmark.stats.stats.median


FIT = """
import time
import numpy as np
from colorkit import models, pairs

images = np.random.default_rng(0).integers(0, 256, (160, 64, 64, 3), dtype="uint8")
model = models.build_unet(widths=(16, 32, 64, 128))
model.compile("adam", "mae", jit_compile=False)
batches = pairs(images, batch_size=16, augment=True)
model.fit(batches, verbose=0)
start = time.perf_counter()
model.fit(batches, epochs=2, verbose=0)
print((time.perf_counter() - start) / 20)
"""


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="an option of TensorFlow")
def test_training_step_with_onednn_against_without(benchmark):
    """The U-Net of "quick" at 64 pixels; without is TensorFlow's default on older CPUs.

    The table times a whole process with its imports. The ratio is that of the steps.
    """

    def step(chosen):
        environment = os.environ | {"TF_ENABLE_ONEDNN_OPTS": chosen}
        command = [sys.executable, "-c", FIT]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
        return float(done.stdout.splitlines()[-1])

    ours, peer = np.median([(step("1"), step("0")) for _ in range(3)], axis=0)
    benchmark.pedantic(step, args=("1",), rounds=1)
    benchmark.extra_info["milliseconds per step"] = 1e3 * ours
    benchmark.extra_info["times as fast as without oneDNN"] = peer / ours


def test_training_step_against_pytorch(benchmark, rng):
    """The classifier of Champati et al., 313 bins: the usual formulation in PyTorch.

    PyTorch gets its dense soft codes ready-made; ours finds the codes within the step.
    """
    torch = pytest.importorskip("torch")
    batch, side, bins = 32, 32, ColorBins.gamut()
    model = models.build_conv_classification(bins.num_bins)
    model.compile("adam", RebalancedCrossentropy(bins, neighbors=5), jit_compile=False)
    lightness = rng.uniform(0, 100, (batch, side, side, 1)).astype("float32")
    chroma = rng.normal(0, 20, (batch, side, side, 2)).astype("float32")

    def layer(ours):
        if isinstance(ours, keras.layers.BatchNormalization):
            return [torch.nn.BatchNorm2d(ours.gamma.shape[0])]
        sizes, rate = ours.kernel.shape, ours.dilation_rate[0]
        convolution = torch.nn.Conv2d(*sizes[2:], sizes[0], padding="same", dilation=rate)
        return [convolution, *([torch.nn.ReLU()] if sizes[0] > 1 else [])]

    kinds = keras.layers.Conv2D, keras.layers.BatchNormalization
    found = [layer(each) for each in model._flatten_layers() if isinstance(each, kinds)]
    peer = torch.nn.Sequential(*[each for pair in found for each in pair])
    assert sum(w.numel() for w in peer.parameters()) == sum(w.size for w in trainable(model))
    optimizer = torch.optim.Adam(peer.parameters())
    indices, weights = map(ops.convert_to_numpy, bins.soft_encode(chroma))
    target = np.zeros((batch, side, side, bins.num_bins), "float32")
    np.put_along_axis(target, indices, weights, axis=-1)
    inputs, target = (torch.tensor(x.transpose(0, 3, 1, 2).copy()) for x in (lightness, target))

    def theirs():
        optimizer.zero_grad()
        loss = -(target * torch.log_softmax(peer(inputs), 1)).sum(1).mean()
        loss.backward()
        optimizer.step()
        return loss.item()

    def ours():
        return model.train_on_batch(lightness, chroma)

    for function in (ours, theirs) * 2:
        function()
    benchmark.extra_info["times as fast as PyTorch"] = median_ratio(theirs, ours, 7)
    benchmark.pedantic(ours, rounds=3)


def trainable(model):
    return [keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights]


@pytest.mark.parametrize("name", ["autoencoder-mae", "deep-cnn-mae", "resnet-mae", "densenet-mae",
                                  "pix2pix"])  # fmt: skip
def test_training_step_against_that_of_the_unet(benchmark, rng, name):
    """What rows of the table of architectures cost at "quick", each in turn with the U-Net."""
    quick = experiments.profile("quick")

    def step(row):
        row = experiments.experiment(f"architectures/{row}")
        model = row.build(row.width(quick), None)
        model.compile("adam", **row.objective.compile_options(None, None), jit_compile=False)
        side = row.at(quick).data.size
        lightness = rng.uniform(0, 100, (row.schedule.batch_size, side, side, 1)).astype("float32")
        chroma = rng.normal(0, 20, (row.schedule.batch_size, side, side, 2)).astype("float32")
        return lambda: model.train_on_batch(lightness, chroma)

    ours, peer = step(name), step("unet-mae")
    median_ratio(ours, peer, 2)  # the first steps compile
    benchmark.extra_info["times the U-Net's"] = median_ratio(ours, peer, 5)
    benchmark.pedantic(ours, rounds=1)
