"""Video files: their frames, and the same in colour. Read and written by PyAV through imageio."""

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
    """Read the frames of a video one after the other.

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
    import imageio.v3 as iio

    if not (isinstance(stride, int) and stride > 0):
        raise ValueError(f"`stride` must be a positive whole number. Received: {stride!r}")
    path = Path(path).expanduser()
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no such file"
        raise FileNotFoundError(f"A video file was expected at {path}, but it is {what}.")
    shape = None
    try:
        for index, frame in enumerate(iio.imiter(path, plugin="pyav")):
            if shape not in (None, frame.shape):
                raise ValueError(
                    f"{path} changes size: frame {index} has {frame.shape[1]}x{frame.shape[0]} "
                    f"pixels, those before have {shape[1]}x{shape[0]}. Cut it there into two files."
                )
            shape = frame.shape
            if index % stride == 0:
                yield frame
    except ImportError as error:
        raise ImportError("Videos need PyAV: pip install av") from error
    except _decoding_errors() as error:
        raise ValueError(
            f"{path} cannot be decoded as video ({error}); convert it, for instance with ffmpeg."
        ) from error
    if shape is None:
        raise ValueError(f"{path} holds no frames.")


def _decoding_errors():
    """What PyAV and imageio raise of a file that they cannot read."""
    try:
        import av
    except ImportError:
        return (OSError,)
    return (OSError, av.FFmpegError)
