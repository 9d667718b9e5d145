import struct
import warnings
from fractions import Fraction

import imageio.v3 as iio
import numpy as np
import pytest
import skimage.data
from PIL import Image

from colorkit import LAB, load, metrics
from colorkit.data import video
from colorkit.data.video import color_video, is_video, read_frames
from tests.conftest import DATA

av = pytest.importorskip("av")


def write(path, frames, **options):
    iio.imwrite(path, frames, plugin="pyav", codec="libx264", fps=10, **options)
    return path


def numbered(count, height=32, width=48):
    """Return gray frames, each a little brighter than the frame before."""
    levels = np.linspace(20, 235, count).astype("uint8")
    return np.broadcast_to(levels[:, None, None, None], (count, height, width, 3)).copy()


def test_frames_are_in_order_at_every_stride(tmp_path):
    path = write(tmp_path / "ten.mp4", numbered(10))
    levels = [frame.mean() for frame in read_frames(path)]
    assert len(levels) == 10 and np.diff(levels).min() > 10
    assert [frame.mean() for frame in read_frames(path, stride=4)] == levels[::4]


def test_splits_of_a_video_have_a_gap_between_them(tmp_path):
    path = write(tmp_path / "forty.mp4", numbered(40))
    train, test, everything = (load(f"video:{path}", split) for split in ("train", "test", "all"))
    assert (len(train), len(test), len(everything)) == (30, 8, 40)
    assert (
        np.asarray(train).mean(axis=(1, 2, 3)).max() < np.asarray(test).mean(axis=(1, 2, 3)).min()
    )
    np.testing.assert_array_equal(np.asarray(everything)[-8:], np.asarray(test))
    assert train.name == "video:forty.mp4"
    assert load(f"video:{path}?stride=4", "all", size=16).shape == (16, 16)
    np.testing.assert_array_equal(
        np.asarray(load(f"video:{path}?stride=4", "all")), np.asarray(everything)[::4]
    )


@pytest.mark.skipif(not (DATA / "clip.mp4").exists(), reason="needs shared/data/clip.mp4")
def test_real_clip_is_read_completely():
    clip = load(f"video:{DATA / 'clip.mp4'}", "all")
    assert len(clip) == 100 and clip.shape == (176, 320)
    neighbors = np.asarray(clip, "float32")
    near = np.abs(neighbors[1:] - neighbors[:-1]).mean()
    far = np.abs(neighbors[50:] - neighbors[:-50]).mean()
    assert 0 < near < far


def test_unreadable_videos_raise_with_their_name(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        load(f"video:{tmp_path / 'none.mp4'}")
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(ValueError, match=r"text\.mp4 cannot be decoded"):
        load(f"video:{tmp_path / 'text.mp4'}")
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(ValueError, match=r"empty\.mp4"):
        load(f"video:{tmp_path / 'empty.mp4'}")
    whole = write(tmp_path / "whole.mp4", numbered(10)).read_bytes()
    (tmp_path / "half.mp4").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"half\.mp4 cannot be decoded"):
        load(f"video:{tmp_path / 'half.mp4'}")


def test_damage_in_the_middle_raises_warns_or_is_decoded(tmp_path):
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (30, 64, 64, 3), dtype="uint8")
    whole = bytearray(write(tmp_path / "whole.mkv", noise).read_bytes())
    middle = len(whole) // 2
    whole[middle : middle + 4000] = bytes(4000)
    (tmp_path / "hole.mkv").write_bytes(whole)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            count = len(list(read_frames(tmp_path / "hole.mkv")))
            assert 0 < count <= 30
            assert count > 18 or "hole.mkv breaks off" in str(found[0].message)
        except ValueError as error:
            assert "hole.mkv cannot be decoded" in str(error)


def test_errors_of_the_decoder_have_the_name_of_the_file(tmp_path, monkeypatch):
    path = write(tmp_path / "ten.mp4", numbered(10))
    count = iter(range(10))

    def fail(frame):
        if next(count):
            raise av.error.InvalidDataError(1, "damaged")
        return frame.to_ndarray(format="rgb24")

    monkeypatch.setattr(video, "_upright", fail)
    frames = read_frames(path)
    assert next(frames).shape == (32, 48, 3)
    with pytest.raises(ValueError, match=r"ten\.mp4 cannot be decoded"):
        next(frames)


@pytest.mark.parametrize("degrees", [90, 180, -90])
def test_rotated_videos_are_read_upright(tmp_path, degrees):
    pictures = np.zeros((3, 32, 48, 3), "uint8")
    pictures[:, :8, :8] = 255  # a bright corner, top left as stored
    path = tmp_path / "phone.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        if not hasattr(stream, "set_display_rotation"):
            pytest.skip("this PyAV cannot write the rotation of a video")
        stream.set_display_rotation(degrees)
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    frame = next(read_frames(path))
    expected = np.rot90(pictures[0], degrees // 90)
    assert frame.shape == expected.shape
    assert np.abs(frame.astype(int) - expected).mean() < 10


def test_truncated_videos_are_read_with_a_warning(tmp_path, rng):
    noise = rng.integers(0, 256, (40, 64, 64, 3), dtype="uint8")
    whole = write(tmp_path / "whole.mkv", noise)
    assert len(list(read_frames(whole))) == 40
    cut = tmp_path / "cut.mkv"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.warns(UserWarning, match=r"cut.* breaks off after [\d.]+ of 4\.0 seconds"):
        assert 10 < len(list(read_frames(cut))) < 30


def test_file_with_only_sound_raises(tmp_path):
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), "float32"), "fltp", "mono")
        silence.sample_rate = 44100
        container.mux(stream.encode(silence))
        container.mux(stream.encode())
    with pytest.raises(ValueError, match="only sound"):
        next(read_frames(path))


def test_short_video_and_invalid_strides_raise(tmp_path):
    path = write(tmp_path / "one.mp4", numbered(1))
    with pytest.raises(ValueError, match=r"too short for a test split.*frames 1, stride 1"):
        load(f"video:{path}")
    assert len(load(f"video:{path}", "all")) == 1
    with pytest.raises(ValueError, match=r"positive whole number\. Received: 0"):
        next(read_frames(path, stride=0))
    for wrong in ("stride=0", "stride=2.5", "every=2"):
        with pytest.raises(ValueError, match=rf"\?stride=5.*Received: '{wrong}'"):
            load(f"video:{path}?{wrong}", "all")
    with pytest.raises(ValueError, match="validation"):
        load(f"video:{path}", "validation")


def test_video_that_changes_size_raises(tmp_path):
    data = b""
    for height in (32, 64):
        part = tmp_path / f"{height}.h264"
        with av.open(part, "w", format="h264") as container:
            stream = container.add_stream("h264", rate=10)
            stream.width, stream.height, stream.pix_fmt = 48, height, "yuv420p"
            for frame in numbered(5, height):
                packets = stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24"))
                container.mux(packets)
            container.mux(stream.encode())
        data += part.read_bytes()
    (tmp_path / "both.h264").write_bytes(data)
    with pytest.raises(ValueError, match="frame 5 has 48x64 pixels, those before have 48x32"):
        load(f"video:{tmp_path / 'both.h264'}")


def test_colored_video_keeps_number_size_and_rate_of_frames(tmp_path):
    source = write(tmp_path / "gray.mp4", numbered(12))

    def redden(rgb):
        return np.uint8(np.clip(rgb * np.float32([1.2, 0.8, 0.8]), 0, 255))

    assert color_video(redden, source, tmp_path / "new" / "red.mp4", steadiness=0) == 12
    colored = list(read_frames(tmp_path / "new" / "red.mp4"))
    assert len(colored) == 12 and colored[0].shape == (32, 48, 3)
    assert iio.immeta(tmp_path / "new" / "red.mp4", plugin="pyav")["fps"] == 10
    middle = colored[6].mean(axis=(0, 1))
    np.testing.assert_allclose(middle, redden(numbered(12)[6])[0, 0], atol=6)


def test_colored_video_keeps_times_and_pixel_shape(tmp_path):
    source, target = tmp_path / "source.mkv", tmp_path / "target.mp4"
    times = [0, 40, 80, 1000, 1500, 1540, 3000]  # milliseconds from the first frame on
    with av.open(str(source), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 48, 32, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        stream.codec_context.sample_aspect_ratio = Fraction(16, 15)
        for picture, time in zip(numbered(len(times)), times, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = 500 + time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert color_video(lambda rgb: rgb, source, target) == len(times)
    with av.open(str(target)) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(16, 15)
        shown = [round(1000 * frame.time) for frame in container.decode(video=0)]
    assert shown == times


@pytest.mark.parametrize("height", [64, 720])
def test_colored_video_stores_its_color_encoding(tmp_path, height):
    red = np.broadcast_to(np.uint8([200, 30, 30]), (3, height, 96, 3))
    color_video(lambda rgb: red[0], write(tmp_path / "gray.mp4", red), tmp_path / "red.mp4")
    with av.open(str(tmp_path / "red.mp4")) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.colorspace, codec.color_range) == (1 if height == 720 else 6, 1)
    with av.open(str(tmp_path / "red.mp4")) as container:
        y, u, v = (
            next(container.decode(video=0))
            .to_ndarray()
            .reshape(3 * height // 2, 96)[[0, height + 2, 5 * height // 4 + 2], 10]
        )
    # ITU-R BT.601 and BT.709, from their weights of red and blue.
    k_red, k_blue = (0.2126, 0.0722) if height == 720 else (0.299, 0.114)
    rgb = np.array([200, 30, 30]) / 255
    luma = rgb @ [k_red, 1 - k_red - k_blue, k_blue]
    expected = (
        16 + 219 * luma,
        128 + 112 * (rgb[2] - luma) / (1 - k_blue),
        128 + 112 * (rgb[0] - luma) / (1 - k_red),
    )
    np.testing.assert_allclose((y, u, v), expected, atol=2.5)


def test_steadiness_reduces_flicker_where_nothing_moves(tmp_path):
    still = np.full((20, 32, 48, 3), 120, "uint8")
    source = write(tmp_path / "still.mp4", still)
    flickering = iter(np.tile([[140, 110, 110], [110, 110, 140]], (40, 1)).astype("uint8"))

    def flicker(rgb):
        return np.broadcast_to(next(flickering), rgb.shape).copy()

    spread = {}
    for steadiness in (0.0, 0.8):
        target = tmp_path / f"{steadiness}.mp4"
        color_video(flicker, source, target, steadiness=steadiness)
        levels = np.stack([frame.mean(axis=(0, 1)) for frame in read_frames(target)])
        spread[steadiness] = np.abs(np.diff(levels, axis=0)).mean()
    assert spread[0.8] < 0.4 * spread[0.0]


def test_colors_are_not_mixed_across_a_cut(tmp_path):
    scenes = np.repeat(np.uint8([60, 180]), 5)[:, None, None, None]
    source = write(tmp_path / "cut.mp4", np.broadcast_to(scenes, (10, 32, 48, 3)).copy())

    def paint(rgb):
        dark = rgb.mean() < 120
        return np.broadcast_to(
            np.uint8([90, 50, 50] if dark else [170, 185, 200]), rgb.shape
        ).copy()

    color_video(paint, source, tmp_path / "out.mp4", steadiness=0.9)
    first_bright = list(read_frames(tmp_path / "out.mp4"))[5].mean(axis=(0, 1))
    np.testing.assert_allclose(first_bright, [170, 185, 200], atol=8)


def test_failed_coloring_leaves_no_file(tmp_path):
    source = write(tmp_path / "gray.mp4", numbered(6))

    def fails(rgb, seen=[]):  # noqa: B006
        seen.append(rgb)
        if len(seen) == 4:
            raise RuntimeError("broken")
        return rgb

    with pytest.raises(RuntimeError, match="broken"):
        color_video(fails, source, tmp_path / "out.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["gray.mp4"]
    with pytest.raises(ValueError, match=r"\.mp4.*out\.xyz"):
        color_video(lambda rgb: rgb, source, tmp_path / "out.xyz")
    with pytest.raises(ValueError, match="steadiness"):
        color_video(lambda rgb: rgb, source, tmp_path / "out.mp4", steadiness=1)
    with pytest.raises(ValueError, match="another file than `source`"):
        color_video(lambda rgb: rgb, source, tmp_path / "new" / ".." / "gray.mp4")
    assert len(list(read_frames(source))) == 6


@pytest.mark.parametrize(
    ("height", "width", "matrix"),
    [(64, 96, "ITU601"), (720, 96, "ITU709"), (536, 1280, "ITU709"), (576, 720, "ITU601")],
)
def test_videos_without_color_matrix_use_that_of_their_size(tmp_path, height, width, matrix):
    color = [200, 60, 90]
    with av.open(str(tmp_path / "film.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        picture = np.broadcast_to(np.uint8(color), (height, width, 3)).copy()
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=matrix)
        frame.colorspace = 2  # unspecified
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with av.open(str(tmp_path / "film.mp4")) as container:
        assert next(container.decode(video=0)).colorspace == 2
    (found,) = read_frames(tmp_path / "film.mp4")
    np.testing.assert_allclose(found[height // 2, 48], color, atol=4)


def with_sound(path, seconds=2, sound="aac", start=0):
    """A film of numbered frames with a tone, a title and a language."""
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "Riga"
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 48, 32, "yuv420p"
        tone = container.add_stream(sound, rate=8000)
        tone.layout = "mono"
        tone.metadata["language"] = "lav"
        wave = np.sin(np.arange(8000 * seconds) * 0.3).astype("float32")[None]
        for i, rgb in enumerate(numbered(10 * seconds)):
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = i + 10 * start, Fraction(1, 10)
            container.mux(video.encode(frame))
            samples = wave[:, i * 800 : (i + 1) * 800]
            if sound.startswith("pcm"):
                samples = np.int16(samples * 30_000)
            frame = av.AudioFrame.from_ndarray(
                samples, format="s16" if sound.startswith("pcm") else "fltp", layout="mono"
            )
            frame.sample_rate, frame.pts = 8000, i * 800 + 8000 * start
            container.mux(tone.encode(frame))
        container.mux(video.encode())
        container.mux(tone.encode())


def sound_of(path, start=0):
    """The sound of a film from 0.3 to 1.7 seconds after its start, by the times of its frames."""
    heard = np.zeros(8000 * 3)
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            first = round((frame.time - start) * 8000)
            samples = frame.to_ndarray()[0]
            heard[max(0, first) : max(0, first + len(samples))] = samples[max(0, -first) :]
    return heard[2400:13600]


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize("start", [0, 5])
def test_sound_and_descriptions_are_copied(tmp_path, ending, start):
    source, target = tmp_path / f"source{ending}", tmp_path / f"colored{ending}"
    with_sound(source, start=start)
    assert color_video(lambda rgb: rgb, source, target) == 20
    with av.open(str(source)) as container:
        first = next(container.decode(video=0)).time
    before, after = sound_of(source, first), sound_of(target)
    assert np.abs(before).max() > 0.5
    # A millisecond, the unit of time of MKV, is eight samples.
    errors = [
        np.abs(before[8:-8] - after[8 + lag : len(after) - 8 + lag]).max() for lag in range(-8, 9)
    ]
    assert min(errors) < 0.01
    with av.open(str(target)) as container:
        assert container.metadata["title"] == "Riga"
        assert container.streams.audio[0].metadata["language"] == "lav"
        assert len(list(container.decode(video=0))) == 20


def test_sound_that_a_format_cannot_hold_is_left_out_with_a_warning(tmp_path):
    with_sound(tmp_path / "source.mov", sound="pcm_alaw")
    with pytest.warns(UserWarning, match=r"cannot hold audio .pcm_alaw. of .*source\.mov"):
        color_video(lambda rgb: rgb, tmp_path / "source.mov", tmp_path / "colored.mp4")
    assert color_video(lambda rgb: rgb, tmp_path / "source.mov", tmp_path / "colored.mov") == 20


def film(path, pictures, codec="libx264", *, rate=25, format=None, options=None, **settings):
    """Write a film, with settings of its codec."""
    with av.open(str(path), "w", format=format) as container:
        stream = container.add_stream(codec, rate=rate, options=options or {})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for name, value in settings.items():
            setattr(stream.codec_context, name, value)
        for i, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = i, Fraction(1, rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def same(rgb):
    return rgb


def times(path):
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


@pytest.mark.parametrize(
    "matrix, expected",
    [
        ((-1, 0, 0, 1), lambda x: x[:, ::-1]),
        ((1, 0, 0, -1), lambda x: x[::-1]),
        ((0, 1, 1, 0), lambda x: x.swapaxes(0, 1)),
        ((0, -1, -1, 0), lambda x: x[::-1, ::-1].swapaxes(0, 1)),
        ((-1, 0, 0, -1), lambda x: x[::-1, ::-1]),
        ((0, 1, -1, 0), lambda x: np.rot90(x, -1)),
    ],
)
def test_mirrored_and_rotated_videos_are_read_upright(tmp_path, matrix, expected):
    picture = np.zeros((32, 48, 3), "uint8")
    picture[:8, :8], picture[-8:, :8] = 255, 120  # all four corners differ, or their colors do
    data = bytearray(film(tmp_path / "plain.mp4", [picture] * 3).read_bytes())
    a, b, c, d = (65536 * x for x in matrix)
    place = data.index(b"tkhd") + 44  # of the display matrix in a track of version 0
    data[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    (tmp_path / "turned.mp4").write_bytes(data)
    upright = expected(picture).astype(int)
    assert color_video(same, tmp_path / "turned.mp4", tmp_path / "out.mp4", steadiness=0) == 3
    for path in ("turned.mp4", "out.mp4"):
        found = next(read_frames(tmp_path / path))
        assert found.shape == upright.shape
        assert np.abs(found - upright).mean() < 6


@pytest.mark.parametrize("codec, name", [("libx264", "h264"), ("libx265", "hevc")])
@pytest.mark.parametrize("rate", [25, 10])
def test_raw_videos_without_times_keep_their_rate(tmp_path, codec, name, rate):
    options = {"x265-params": "log-level=none"} if name == "hevc" else {"bf": "2"}
    frames = numbered(20, 64, 96)
    source = film(tmp_path / "raw.mp4", frames, codec, rate=rate, format=name, options=options)
    color_video(same, source, tmp_path / "out.mp4", steadiness=0)
    np.testing.assert_allclose(times(tmp_path / "out.mp4"), np.arange(20) / rate, atol=1e-3)


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_frames_of_avi_are_neither_late_nor_swapped(tmp_path, codec):
    source = film(tmp_path / "b.avi", numbered(20), codec, options={"bf": "2"})
    assert color_video(same, source, tmp_path / "out.mp4", steadiness=0) == 20
    np.testing.assert_allclose(times(tmp_path / "out.mp4"), np.arange(20) / 25, atol=1e-3)
    assert np.diff([frame.mean() for frame in read_frames(tmp_path / "out.mp4")]).min() > -1


def combed(count=12, height=64, width=96):
    """Interlaced pictures of a bright bar that moves six pixels per field, and its fields."""
    fields = np.full((2 * count, height, width, 3), 40, "uint8")
    for i, field in enumerate(fields):
        field[:, 6 * i % 72 : 6 * i % 72 + 20] = 220
    frames = fields[::2].copy()
    frames[:, 1::2] = fields[1::2, 1::2]
    return frames


def combing(rgb):
    """Difference of each line from the mean of its neighbors."""
    lines = rgb[..., 1].astype(float)
    return np.abs(lines[1:-1] - (lines[:-2] + lines[2:]) / 2).mean()


@pytest.mark.parametrize("codec, ending", [("mpeg2video", ".mpg"), ("libx264", ".mkv")])
def test_only_interlaced_frames_are_deinterlaced(tmp_path, codec, ending):
    frames = combed()
    assert combing(frames[4]) > 10
    options = {"x264-params": "interlaced=1"} if codec == "libx264" else {}
    marked = {} if options else {"flags": 1 << 29 | 1 << 18}  # interlaced motion and transform
    source = film(tmp_path / f"fields{ending}", frames, codec, options=options, **marked)
    found = list(read_frames(source))
    assert len(found) == 12 and max(map(combing, found)) < 3
    assert color_video(same, source, tmp_path / "out.mp4", steadiness=0) == 12
    np.testing.assert_allclose(times(tmp_path / "out.mp4"), np.arange(12) / 25, atol=1e-3)
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert not any(frame.interlaced_frame for frame in container.decode(video=0))
    striped = list(read_frames(film(tmp_path / f"stripes{ending}", frames, codec)))
    assert min(map(combing, striped)) > 10, "a progressive film may have such a pattern"


@pytest.mark.parametrize("ending", [".mp4", ".mkv"])
@pytest.mark.parametrize("default", [0, 1])
def test_default_of_two_video_streams_is_read(tmp_path, ending, default):
    with av.open(str(tmp_path / f"two{ending}"), "w") as container:
        streams = [container.add_stream("libx264", rate=10) for _ in range(2)]
        for i, stream in enumerate(streams):
            stream.height, stream.width, stream.pix_fmt = 32, 48, "yuv420p"
            stream.disposition = int(i == default)
        for level, stream in zip((60, 180), streams, strict=True):
            for picture in np.full((5, 32, 48, 3), level, "uint8"):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode())
    color_video(same, tmp_path / f"two{ending}", tmp_path / "out.mp4", steadiness=0)
    for path in (tmp_path / f"two{ending}", tmp_path / "out.mp4"):
        assert next(read_frames(path)).mean() == pytest.approx((60, 180)[default], abs=3)


def perceptual_quantizer(light):
    """Code values of SMPTE ST 2084 for light in cd/m2."""
    power = (light / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375


def hybrid_log_gamma(light):
    """Code values of ITU-R BT.2100 for light of gray in cd/m2, on a display of 1000 cd/m2."""
    scene = (light / 1000) ** (1 / 1.2)
    upper = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), upper)


@pytest.mark.parametrize("number, encode", [(16, perceptual_quantizer), (18, hybrid_log_gamma)])
def test_hdr_is_converted_and_tagged_as_it_is_written(tmp_path, number, encode):
    light = np.array([0.5, 5, 20, 60, 120, 203])  # 203 is the white of BT.2408
    codes = np.uint16(np.round(65535 * encode(light)))
    picture = np.broadcast_to(np.repeat(codes, 16)[:, None], (64, 96, 3)).copy()
    with av.open(str(tmp_path / "hdr.mp4"), "w") as container:
        options = {"x265-params": "log-level=none:lossless=1"}
        stream = container.add_stream("libx265", rate=10, options=options)
        stream.height, stream.width, stream.pix_fmt = 64, 96, "yuv420p10le"
        codec = stream.codec_context
        codec.color_trc, codec.color_primaries, codec.colorspace = number, 9, 9
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb48le")
            container.mux(stream.encode(frame.reformat(format="yuv420p10le")))
        container.mux(stream.encode())
    expected = 255 * (light / 203) ** (1 / 2.4)  # the display of BT.1886
    seen = []
    color_video(
        lambda rgb: seen.append(rgb) or rgb,
        tmp_path / "hdr.mp4",
        tmp_path / "out.mp4",
        steadiness=0,
    )
    for found in (seen[0], next(read_frames(tmp_path / "out.mp4"))):
        np.testing.assert_allclose(found[32, 8::16, 1], expected, atol=6)
    with av.open(str(tmp_path / "out.mp4")) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.color_trc, codec.color_primaries, codec.colorspace) == (6, 6, 6)


@pytest.mark.parametrize("ending, kind", [(".gif", "GIF"), (".png", "PNG"), (".apng", "PNG")])
def test_animations_are_videos_and_keep_their_times(tmp_path, ending, kind):
    pictures = [Image.fromarray(rgb) for rgb in numbered(4)]
    path, durations = tmp_path / f"animated{ending}", [100, 300, 100, 500]
    options = {"format": kind, "duration": durations}
    pictures[0].save(path, save_all=True, append_images=pictures[1:], **options)
    pictures[0].save(tmp_path / f"still{ending}", format=kind)
    assert is_video(path) and not is_video(tmp_path / f"still{ending}")
    assert not is_video(tmp_path / f"missing{ending}")
    assert color_video(same, path, tmp_path / "out.mkv", steadiness=0) == 4
    np.testing.assert_allclose(times(tmp_path / "out.mkv"), [0, 0.1, 0.4, 0.5], atol=2e-3)
    assert np.diff([frame.mean() for frame in read_frames(tmp_path / "out.mkv")]).min() > 50


def test_transparent_parts_of_animations_become_white(tmp_path):
    clear = np.zeros((2, 32, 48, 4), "uint8")
    clear[:, :16], clear[1, :8, :8, 0] = (0, 0, 0, 255), 200
    first, second = map(Image.fromarray, clear)
    first.save(tmp_path / "clear.png", save_all=True, append_images=[second], duration=100)
    found = list(read_frames(tmp_path / "clear.png"))
    assert len(found) == 2
    np.testing.assert_array_equal(found[0], [[[0] * 3] * 48] * 16 + [[[255] * 3] * 48] * 16)


@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov"])
@pytest.mark.parametrize("durations", [[1000, 2000, 4000], [500, 500, 3000]])
def test_last_frame_keeps_its_duration(tmp_path, ending, durations):
    pictures = [Image.fromarray(rgb) for rgb in numbered(3)]
    pictures[0].save(
        tmp_path / "slides.gif", save_all=True, append_images=pictures[1:], duration=durations
    )
    target = tmp_path / f"slides{ending}"
    color_video(same, tmp_path / "slides.gif", target, steadiness=0)
    with av.open(str(target)) as container:
        *_, last = container.decode(video=0)
        assert last.time == pytest.approx(sum(durations[:-1]) / 1000, abs=2e-3)
        assert float(last.duration * last.time_base) == pytest.approx(durations[-1] / 1000)
        assert container.duration / 1e6 == pytest.approx(sum(durations) / 1000, abs=2e-3)


@pytest.mark.parametrize("format", ["mp4", "mov", "matroska", "avi", "flv", "mpegts", "mpeg"])
def test_videos_are_known_by_their_content(tmp_path, format):
    codec = {"mpeg": "mpeg1video", "flv": "flv1"}.get(format, "libx264")
    path = film(tmp_path / "film", [np.zeros((32, 32, 3), "uint8")] * 5, codec, format=format)
    assert is_video(path)
    assert is_video(path.rename(tmp_path / "film.jpg"))


@pytest.mark.parametrize("ending", ["jpg", "png", "gif", "tif", "webp", "avif", "bmp"])
def test_images_are_no_videos_by_their_content(tmp_path, ending):
    Image.fromarray(skimage.data.cat()).save(tmp_path / f"cat.{ending}")
    assert not is_video((tmp_path / f"cat.{ending}").rename(tmp_path / "cat"))


@pytest.mark.parametrize("name", ["12:30 party.mp4", "~film.mp4", "file:a.mp4"])
def test_names_with_colon_and_tilde_are_read_and_written(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    film(tmp_path / "plain.mp4", [np.full((32, 32, 3), 90, "uint8")] * 3)
    (tmp_path / "plain.mp4").rename(tmp_path / name)
    assert len(list(read_frames(name))) == 3
    assert len(list(read_frames(f"./{name}"))) == 3


@pytest.mark.parametrize(
    "ending, format, codec",
    [
        (".ts", "mpegts", "libx264"), (".mts", "mpegts", "libx264"), (".m2ts", "mpegts", "mpeg4"),
        (".flv", "flv", "libx264"), (".3gp", "3gp", "mpeg4"), (".vob", "vob", "mpeg2video"),
        (".ogv", "ogg", "libvpx"), (".mxf", "mxf", "mpeg2video"), (".divx", "avi", "mpeg4"),
        (".wmv", "asf", "wmv2"), (".webm", "webm", "libvpx"),
    ],
)  # fmt: skip
def test_containers_are_read_by_their_endings(tmp_path, ending, format, codec):
    path = film(tmp_path / f"film{ending}", numbered(20), codec, format=format)
    assert is_video(path) and is_video(path.with_suffix(ending.upper()))
    assert color_video(same, path, tmp_path / "out.mp4", steadiness=0) == 20
    np.testing.assert_allclose(times(tmp_path / "out.mp4"), np.arange(20) / 25, atol=2e-3)


def panned(photo, count=8, size=(96, 128), step=(1.3, 2.6)):
    """Frames of a window that moves over a photograph, and where each pixel was before."""
    frames = []
    for i in range(count):
        top, left = (20 + i * x for x in step)
        box = (left, top, left + size[1], top + size[0])
        frames.append(Image.fromarray(photo).resize(size[::-1], Image.Resampling.BICUBIC, box))
    places = np.mgrid[: size[0], : size[1]] + np.reshape(step, (2, 1, 1))
    return np.stack(frames), np.stack([places] * (count - 1))


def flickering(frames, strength=12):
    """Gray frames in one color of random hue each."""
    chroma = strength * np.random.default_rng(0).normal(size=(len(frames), 1, 1, 2))
    lightness = LAB.split(frames)[0]
    chroma = np.broadcast_to(chroma, (*frames.shape[:3], 2)).astype("float32")
    return np.uint8(np.round(255 * np.asarray(LAB.merge(lightness, chroma))))


@pytest.mark.parametrize("photo", ["cat", "coffee"])
def test_steadying_follows_what_moves(photo):
    frames, places = panned(getattr(skimage.data, photo)()[:200, :300])
    colored = flickering(frames)
    steady = np.stack(list(video.steadied(colored, 0.8)))
    errors = [metrics.warp_error(np.float32(x / 255), places).mean() for x in (colored, steady)]
    assert errors[1] < errors[0] / 2
    lightness = [np.asarray(LAB.split(x)[0]) for x in (colored, steady)]
    assert np.abs(lightness[0] - lightness[1]).mean() < 0.5
    np.testing.assert_array_equal(list(video.steadied(colored, 0)), colored)


@pytest.mark.parametrize("kind", ["other photograph", "mirrored photograph"])
def test_nothing_is_carried_over_a_cut(kind):
    before, _ = panned(skimage.data.cat()[:200, :300], 4)
    after, _ = panned(skimage.data.coffee()[:200, :300], 4)
    if kind == "mirrored photograph":  # lightness has the same distribution
        after = before[:, :, ::-1]
    colored = flickering(np.concatenate([before, after]))
    steady = list(video.steadied(colored, 0.8))
    np.testing.assert_array_equal(steady[4], colored[4])
    assert np.abs(steady[5].astype(int) - colored[5]).max() > 5, "within a shot, colors are mixed"


@pytest.mark.skipif(not (DATA / "videos").exists(), reason="needs shared/data/videos")
def test_cuts_of_a_real_film_are_found():
    frames = list(read_frames(DATA / "videos" / "city_with_cuts.mp4"))
    cuts = (30, 76, 137, 187, 242)
    near = sorted({i + j for i in cuts for j in (-2, -1, 0, 1)})
    colored = flickering(np.stack([frames[i][::4, ::4] for i in near]), 5)
    steady = list(video.steadied(colored, 0.8))
    kept = [i for i, x, y in zip(near, colored, steady, strict=True) if np.array_equal(x, y)]
    assert set(cuts) <= set(kept)
    assert not {i + j for i in cuts for j in (-1, 1)} & set(kept)
