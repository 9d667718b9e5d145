import warnings
from fractions import Fraction

import imageio.v3 as iio
import numpy as np
import pytest

from colorkit import load
from colorkit.data import video
from colorkit.data.video import color_video, read_frames
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
