"""Read, color and write video files with PyAV."""

import contextlib
import itertools
import math
import warnings
from fractions import Fraction
from pathlib import Path

import numpy as np

from colorkit.files import make_folder, written_whole

# Change of a pixel in L at which the weight of its previous color falls to 1 / e.
_LIGHTNESS_SCALE = 4.0
# Value in H.273 for a matrix that a file does not name.
_UNSPECIFIED = 2
# Descriptions that belong to the old file.
_OF_CONTAINER = ("major_brand", "minor_version", "compatible_brands", "encoder")
# Endings of files that can be written; many more can be read.
WRITTEN = (".mp4", ".mkv", ".mov")
_READ = (
    *WRITTEN, ".3gp", ".avi", ".divx", ".flv", ".m2ts", ".m4v", ".mpeg", ".mpg", ".mts", ".mxf",
    ".ogv", ".ts", ".vob", ".webm", ".wmv",
)  # fmt: skip


def is_video(path):
    """Return whether a path has the ending of a video."""
    return Path(path).suffix.lower() in _READ


def color_video(colorizer, source, target, *, steadiness=0.5):
    """Color a video frame by frame, and keep colors steady where nothing moves.

    Where a pixel keeps its lightness, its chroma is mixed with that of the previous frame, so that
    colors do not flicker. Each frame keeps its duration and shape, and the file stores how its
    colors are encoded. Sound, subtitles, chapters and descriptions are copied.

    Args:
        colorizer: `Colorizer`, or any function from an image to a colored one.
        source: Path of a video file.
        target: Path of the file to write, such as "colored.mp4". Its format needs even sides, so
            odd sides are extended by one pixel.
        steadiness: Share of the previous color where nothing moves, in [0, 1). 0 colors each frame
            separately.

    Returns:
        Number of frames.

    Raises:
        FileNotFoundError, ImportError, ValueError: As `read_frames`; ValueError also if `target` is
            the source or has no ending of a video.

    Example:
        >>> color_video(ck.Colorizer.pretrained("photos"), "old.mp4", "colored.mp4")
        100
    """
    from colorkit.checks import check_share  # here, as in `read_frames`

    check_share("steadiness", steadiness)
    target = Path(target).expanduser()
    if target.suffix.lower() not in WRITTEN:
        raise ValueError(f"`target` must end in one of {WRITTEN}. Received: {target}")
    source = Path(source).expanduser()
    if target.resolve() == source.resolve():
        raise ValueError(f"`target` must be another file than `source`. Received: {target}")
    frames = _frames(source)
    first = next(frames)  # raise errors of the file before anything is written
    make_folder(target.parent)
    count, before = 0, None
    with written_whole(target) as temporary, _writer(temporary, source) as write:
        for frame, rgb in itertools.chain([first], frames):
            colored = colorizer(rgb)
            if steadiness:
                colored, before = _steadied(colored, before, steadiness)
            write(colored, frame)
            count += 1
    return count


@contextlib.contextmanager
def _writer(path, source):
    """Yield a function that writes an image in a format for every player.

    The image gets the time of a given frame of `source`, and the pixel shape of its video. Sound,
    subtitles, chapters and descriptions are copied.
    """
    import av

    with av.open(str(source)) as container:
        rate = container.streams.video[0].average_rate or Fraction(25)
        aspect = container.streams.video[0].sample_aspect_ratio
    stream, start, time = None, 0, -1
    others = None

    def write(rgb, like):
        nonlocal stream, start, time, others
        sides = [(0, side % 2) for side in rgb.shape[:2]]  # halved chroma needs even sides
        rgb = np.pad(rgb, [*sides, (0, 0)], mode="edge")
        matrix, number = _matrix(*rgb.shape[:2])
        tick = like.time_base or 1 / rate
        if stream is None:
            stream = output.add_stream("libx264", rate=rate)
            stream.height, stream.width = rgb.shape[:2]
            stream.pix_fmt = "yuv420p"
            codec = stream.codec_context
            codec.time_base = tick
            codec.colorspace = codec.color_primaries = codec.color_trc = number
            codec.color_range = 1  # from 16 to 235
            if aspect:
                codec.sample_aspect_ratio = 1 / aspect if like.rotation % 180 else aspect
            start = like.pts or 0  # recordings of broadcasts may not start at 0
            others = _Others(source, output, start * tick)
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(
            format="yuv420p", dst_colorspace=matrix
        )
        time = max(time + 1, 0 if like.pts is None else like.pts - start)
        frame.pts, frame.time_base = time, tick
        others.copy(time * tick)
        output.mux(stream.encode(frame))

    with av.open(str(path), "w") as output:
        try:
            yield write
            output.mux(stream.encode())
            others.copy()
        finally:
            if others is not None:
                others.container.close()


class _Others:
    """Copies sound, subtitles, chapters and descriptions of a video as they are.

    Args:
        source: Path of the video.
        output: PyAV container to which the streams are added.
        start: Time in seconds of the first frame, which becomes time 0.
    """

    def __init__(self, source, output, start):
        import av

        self.container, self.output, self.start = av.open(str(source)), output, start
        self.streams, left_out = {}, []
        for stream in self.container.streams:
            if stream.type not in ("audio", "subtitle"):
                continue
            if stream.codec_context.codec.name in output.supported_codecs:
                copy = output.add_stream_from_template(stream)
                copy.metadata.update(stream.metadata)
                self.streams[stream] = copy
            else:
                left_out.append(f"{stream.type} ({stream.codec_context.codec.name})")
        if left_out:
            warnings.warn(
                f"{Path(output.name).suffix} cannot hold {', '.join(left_out)} of {source}. Write "
                "another format, such as .mkv or .mov, to keep it.",
                stacklevel=4,
            )
        kept = {k: v for k, v in self.container.metadata.items() if k not in _OF_CONTAINER}
        output.metadata.update(kept)
        if chapters := self.container.chapters():
            output.set_chapters(chapters)
        self.packets = self.container.demux(list(self.streams)) if self.streams else iter(())
        self.waiting = None

    def copy(self, until=math.inf):
        """Copy the packets up to a time in seconds of the output, or all that are left."""
        while packet := self.waiting or next(self.packets, None):
            self.waiting = None
            if packet.dts is None or packet.time_base is None:  # the end of a stream
                continue
            shift = round(self.start / packet.time_base)
            if packet.dts < shift:
                continue
            if (packet.dts - shift) * packet.time_base > until:
                self.waiting = packet
                return
            packet.dts -= shift
            packet.pts = packet.dts if packet.pts is None else packet.pts - shift
            packet.stream = self.streams[packet.stream]
            self.output.mux(packet)


def _matrix(height, width):
    """Return the matrix that players assume at this size: name for PyAV, and number in H.273."""
    # (Number 6 is SMPTE 170M, which is BT.601 in a file of 525 lines. Wide videos have fewer.)
    return ("ITU709", 1) if height >= 720 or width >= 1280 else ("ITU601", 6)


def _steadied(rgb, before, steadiness):
    """Return a colored frame, its chroma mixed with that of the previous one, and its planes."""
    from keras import ops

    from colorkit.color.spaces import LAB

    lightness, chroma = (ops.convert_to_numpy(plane) for plane in LAB.split(rgb))
    if before is None:
        return rgb, (lightness, chroma)
    same = np.exp(-np.abs(lightness - before[0]) / _LIGHTNESS_SCALE)
    chroma += steadiness * same * (before[1] - chroma)
    mixed = ops.convert_to_numpy(LAB.merge(lightness, chroma))
    return np.uint8(np.round(255 * mixed)), (lightness, chroma)


def read_frames(path, stride=1):
    """Read the frames of a video one after the other, upright.

    If the frames end long before the duration in the file, they are read with a warning.

    Args:
        path: Path of a video file.
        stride: Distance between frames; 1 reads all of them, starting with the first.

    Yields:
        uint8 arrays of shape `(height, width, 3)`.

    Raises:
        FileNotFoundError, ImportError: If the file does not exist, or PyAV is not installed.
        ValueError: If the file is damaged, holds no images, or its frames change size.
    """
    # Imported here, as the command line checks endings before it loads a framework.
    from colorkit.checks import check_whole

    check_whole("stride", stride)
    for _, rgb in itertools.islice(_frames(path), 0, None, stride):
        yield rgb


def _frames(path):
    """Yield the frames of a video as PyAV frames and as images; errors as `read_frames`."""
    path = Path(path).expanduser()
    if not path.is_file():
        what = "a folder" if path.is_dir() else "no such file"
        raise FileNotFoundError(f"A video file was expected at {path}, but it is {what}.")
    try:
        import av
    except ImportError as error:
        raise ImportError("Videos need PyAV: pip install av") from error
    shape = None
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise ValueError(f"{path} holds no images, only sound.")
            container.streams.video[0].thread_type = "AUTO"
            for index, frame in enumerate(container.decode(video=0)):
                rgb = _upright(frame)
                if shape not in (None, rgb.shape):
                    raise ValueError(
                        f"{path} changes size: frame {index} has {rgb.shape[1]}x{rgb.shape[0]} "
                        f"pixels, those before have {shape[1]}x{shape[0]}. Cut it into two files."
                    )
                shape = rgb.shape
                yield frame, rgb
            if shape is not None:
                _check_end(path, container, frame)
    except (OSError, av.FFmpegError) as error:
        raise ValueError(
            f"{path} cannot be decoded as video ({error}); convert it, for instance with ffmpeg."
        ) from error
    if shape is None:
        raise ValueError(f"{path} holds no frames.")


def _upright(frame):
    """Rotate a frame upright: telephones may store upright videos rotated by 90 degrees."""
    turns = frame.rotation // 90  # counterclockwise
    options = {"format": "rgb24"}
    if frame.colorspace == _UNSPECIFIED:
        options["src_colorspace"] = _matrix(frame.height, frame.width)[0]
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(**options), turns))


def _check_end(path, container, last):
    """Warn if the frames end long before the duration in the file, as in an incomplete file."""
    stream = container.streams.video[0]
    if stream.duration is not None:
        seconds = float(stream.duration * stream.time_base)
    else:  # some formats count it from the first frame, and others from 0
        start = max(0, container.start_time or 0)
        seconds = max(0, (container.duration or 0) - start) / 1e6
    end = (last.time or 0.0) - (container.start_time or 0) / 1e6
    if last.duration and last.time_base:
        end += float(last.duration * last.time_base)
    if seconds - end > max(1.0, seconds / 10):
        warnings.warn(
            f"{path} breaks off after {end:.1f} of {seconds:.1f} seconds; later frames are missing",
            stacklevel=3,
        )
