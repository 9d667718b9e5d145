"""Video files: their frames, and the same in colour. Read by PyAV, written through imageio."""

import warnings
from pathlib import Path

import numpy as np

from colorkit.files import make_folder, written_whole

# How much a pixel may brighten or darken, in units of L, to count as the same thing as before.
_SAME_THING = 4.0
# Endings of files that are written; far more can be read.
WRITTEN = (".mp4", ".mkv", ".mov")
_READ = (*WRITTEN, ".avi", ".m4v", ".mpeg", ".mpg", ".webm", ".wmv")


def is_video(path):
    """Whether a path names a video, by its ending."""
    return Path(path).suffix.lower() in _READ


def color_video(colorizer, source, target, *, steadiness=0.5):
    """Colour a video frame by frame, and keep colours steady where nothing moves.

    Frame by frame, colours flicker. Where a pixel keeps its lightness, its chroma is mixed with
    that of the frame before; where something moves or the scene changes, it is not. Sound is not
    copied.

    Args:
        colorizer: `Colorizer`, or any function from a picture to a coloured one.
        source: Path of a video file.
        target: Path of the file to write, such as "colored.mp4". Its format wants even sides; odd
            ones get a pixel more.
        steadiness: Share of the colour before where nothing moves, in [0, 1); 0 colours each frame
            by itself.

    Returns:
        Number of frames.

    Raises:
        FileNotFoundError, ImportError, ValueError: As `read_frames`; ValueError also if
            `steadiness` is out of range or `target` names no video format.
    """
    import imageio.v3 as iio

    if not 0 <= steadiness < 1:
        raise ValueError(f"`steadiness` must be in [0, 1). Received: {steadiness!r}")
    target = Path(target).expanduser()
    if target.suffix.lower() not in WRITTEN:
        raise ValueError(f"`target` must end in one of {WRITTEN}. Received: {target}")
    source = Path(source).expanduser()
    frames = read_frames(source)
    frame = next(frames)  # whatever is wrong with the file is told before anything is written
    rate = float(iio.immeta(source, plugin="pyav").get("fps") or 25)
    make_folder(target.parent)
    count, before = 0, None
    with written_whole(target) as temporary, iio.imopen(temporary, "w", plugin="pyav") as video:
        # What every player can show; it halves the resolution of the chroma.
        video.init_video_stream("libx264", fps=rate, pixel_format="yuv420p")
        while frame is not None:
            rgb = colorizer(frame)
            if steadiness:
                rgb, before = _steadied(rgb, before, steadiness)
            sides = [(0, side % 2) for side in rgb.shape[:2]]  # the format wants even ones
            video.write_frame(np.pad(rgb, [*sides, (0, 0)], mode="edge"))
            count, frame = count + 1, next(frames, None)
    return count


def _steadied(rgb, before, steadiness):
    """A coloured frame with its chroma mixed with that before, and its planes."""
    # Here, because the command line asks about endings before it waits for a framework.
    from keras import ops

    from colorkit.colorspace import LAB

    lightness, chroma = (ops.convert_to_numpy(plane) for plane in LAB.split(rgb))
    if before is None:
        return rgb, (lightness, chroma)
    same = np.exp(-np.abs(lightness - before[0]) / _SAME_THING)
    chroma += steadiness * same * (before[1] - chroma)
    mixed = ops.convert_to_numpy(LAB.merge(lightness, chroma))
    return np.uint8(np.round(255 * mixed)), (lightness, chroma)


def read_frames(path, stride=1):
    """Read the frames of a video one after the other, upright.

    A file whose frames end long before it says is taken as far as it goes, with a warning.

    Args:
        path: Path of a video file.
        stride: Every so many frames one is taken, from the first on.

    Yields:
        uint8 arrays of shape `(height, width, 3)`.

    Raises:
        FileNotFoundError: If there is no such file.
        ImportError: If PyAV is not installed.
        ValueError: If the file is empty or damaged, holds no video, or its frames change size; if
            `stride` is no positive whole number.
    """
    if not (isinstance(stride, int) and stride > 0):
        raise ValueError(f"`stride` must be a positive whole number. Received: {stride!r}")
    path = Path(path).expanduser()
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no such file"
        raise FileNotFoundError(f"A video file was expected at {path}, but it is {what}.")
    try:
        import av
    except ImportError as error:
        raise ImportError("Videos need PyAV: pip install av") from error
    shape, index = None, -1
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise ValueError(f"{path} holds no pictures, only sound.")
            container.streams.video[0].thread_type = "AUTO"
            for index, frame in enumerate(container.decode(video=0)):
                rgb = _upright(frame)
                if shape not in (None, rgb.shape):
                    raise ValueError(
                        f"{path} changes size: frame {index} has {rgb.shape[1]}x{rgb.shape[0]} "
                        f"pixels, those before have {shape[1]}x{shape[0]}. Cut it there into two "
                        "files."
                    )
                shape = rgb.shape
                if index % stride == 0:
                    yield rgb
            if index >= 0:
                _check_end(path, container, frame)
    except (OSError, av.FFmpegError) as error:
        raise ValueError(
            f"{path} cannot be decoded as video ({error}); convert it, for instance with ffmpeg."
        ) from error
    if shape is None:
        raise ValueError(f"{path} holds no frames.")


def _upright(frame):
    """A frame as it is to be seen: telephones store what was filmed upright lying on its side."""
    turns = getattr(frame, "rotation", 0) // 90  # counterclockwise
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), turns))


def _check_end(path, container, last):
    """Warn if the frames end well before a file says that they do, as if it had been cut off."""
    stream = container.streams.video[0]
    if stream.duration is not None:
        seconds = float(stream.duration * stream.time_base)
    else:
        seconds = (container.duration or 0) / 1e6
    end = (last.time or 0.0) - (container.start_time or 0) / 1e6
    if seconds - end > max(1.0, seconds / 10):
        warnings.warn(
            f"{path} breaks off after {end:.1f} of {seconds:.1f} seconds; what was there was taken",
            stacklevel=3,
        )
