"""Read, color and write video files with PyAV."""

import collections
import contextlib
import itertools
import os
import warnings
from pathlib import Path

import numpy as np
from PIL import Image

from colorkit.checks import check_share, check_whole
from colorkit.data.image_files import as_rgb
from colorkit.files import expanded, make_folder, written_whole

__all__ = ["color_video", "read_frames", "steadied"]

# Change of a pixel in L at which the weight of its previous color falls to 1 / e.
_LIGHTNESS_SCALE = 6.0
# Mean weight of the previous colors below which a frame starts a new shot.
_CUT = 0.45
# Value in H.273 for a matrix that a file does not name.
_UNSPECIFIED = 2
# Filters of FFmpeg: one frame for two fields, only where frames are interlaced.
_DEINTERLACE = "send_frame:auto:interlaced"
# Values in H.273 for the transfer functions of HDR, PQ and HLG, and the conversion by FFmpeg.
_HDR = (16, 18)
_TO_BT709 = ":".join(f"out_{x}=bt709" for x in ("transfer", "primaries", "color_matrix"))
# Descriptions that belong to the old file.
_OF_CONTAINER = ("major_brand", "minor_version", "compatible_brands", "encoder")
# Endings of files that can be written; many more can be read.
WRITTEN = (".mp4", ".mkv", ".mov")
_READ = (
    *WRITTEN, ".3gp", ".avi", ".divx", ".flv", ".m2ts", ".m4v", ".mpeg", ".mpg", ".mts", ".mxf",
    ".ogv", ".ts", ".vob", ".webm", ".wmv",
)  # fmt: skip


_SOUND = (".m4a", ".mka", ".weba")  # endings of sound in the containers of videos
# Brands of images and sound in the container of MP4.
_OTHER_BRANDS = (b"avif", b"avis", b"heic", b"heis", b"heix", b"hevc", b"mif1", b"msf1", b"M4A ")


def is_video(path):
    """Return whether a path has the ending or the content of a video, or of an animation."""
    ending = Path(path).suffix.lower()
    if ending in _READ or (ending in (".apng", ".gif", ".png") and is_animated(path)):
        return True
    return ending not in _SOUND and _begins_as_video(path)


def _begins_as_video(path):
    """Return whether a file begins as MP4, Matroska, AVI, FLV, MPEG-PS or MPEG-TS files do."""
    if not os.path.isfile(path):
        return False
    with contextlib.suppress(OSError), open(path, "rb") as file:
        head = file.read(377)
        if head[4:8] == b"ftyp":
            return head[8:12] not in _OTHER_BRANDS
        is_stream = head[:3] != b"GIF" and head[::188] == b"GGG"  # packets of 188 bytes
        is_avi = head[:4] == b"RIFF" and head[8:12] == b"AVI "
        return is_stream or is_avi or head[:4] in (b"\x1aE\xdf\xa3", b"FLV\1", b"\0\0\1\xba")
    return False


def is_animated(path):
    """Return whether a file is an image with several frames, by its content."""
    with contextlib.suppress(Exception), warnings.catch_warnings(action="ignore"):
        if os.path.isfile(path):
            with Image.open(path) as image:
                return image.is_animated
    return False


def color_video(colorizer, source, target, *, steadiness=0.9):
    """Color a video frame by frame, and keep the colors of what moves steady.

    The chroma of each pixel is mixed with that of the previous frame, moved along with the picture,
    where this explains its lightness. Colors then hardly flicker. Nothing is mixed across a cut.
    Each frame keeps its time, duration and shape, and the file stores how its colors are encoded.
    Sound, subtitles, chapters and descriptions are copied.

    Args:
        colorizer: `Colorizer`, or any function from an image to a colored one.
        source: Path of a video file, or of an animated GIF or PNG.
        target: Path of the file to write, such as "colored.mp4". Its format needs even sides, so
            odd sides are extended by one pixel.
        steadiness: Share of the previous color, in [0, 1). 0 colors each frame separately.

    Returns:
        Number of frames.

    Raises:
        FileNotFoundError, ImportError, ValueError: As `read_frames`; ValueError also if `target` is
            the source or has no ending of a video.

    References:
        Lai et al., "Learning Blind Video Temporal Consistency", ECCV 2018 (warping, and
        weights by the input).

    Example:
        >>> from PIL import Image
        >>> frames = [Image.fromarray(np.full((16, 16), 40 * i, "uint8")) for i in range(3)]
        >>> frames[0].save("old.gif", save_all=True, append_images=frames[1:])
        >>> color_video(ck.Colorizer(ck.models.build_unet(widths=(8, 16))), "old.gif", "new.mp4")
        3
    """
    check_share("steadiness", steadiness)
    source, target = (expanded(path) for path in (source, target))
    if target.suffix.lower() not in WRITTEN:
        raise ValueError(f"`target` must end in one of {WRITTEN}. Received: {target}")
    if target.resolve() == source.resolve():
        raise ValueError(f"`target` must be another file than `source`. Received: {target}")
    with contextlib.closing(_read(source)) as items:
        container, first, rgb = next(items)  # raise errors before anything is written
        make_folder(target.parent)
        import av

        count, before, time, start = 0, None, -1, first.pts * first.time_base
        with written_whole(target) as temporary, av.open(str(temporary.absolute()), "w") as output:
            stream, copies = _add_streams(output, container, first, rgb.shape)
            for _, item, rgb in _read(source, copies):
                if rgb is None:  # a packet of sound or subtitles
                    shift = round(start / (item.time_base or 1))
                    if item.dts is not None and item.dts >= shift:  # `None` ends a stream
                        item.dts -= shift
                        item.pts = item.dts if item.pts is None else item.pts - shift
                        item.stream = copies[item.stream_index]
                        output.mux(item)
                    continue
                colored = colorizer(rgb)
                if steadiness:
                    colored, before = _steadied(colored, before, steadiness)
                sides = [(0, side % 2) for side in rgb.shape[:2]]  # halved chroma needs even sides
                colored = np.ascontiguousarray(np.pad(colored, [*sides, (0, 0)], mode="edge"))
                frame = av.VideoFrame.from_ndarray(colored, format="rgb24").reformat(
                    format="yuv420p", dst_colorspace=_matrix(*rgb.shape[:2])[0]
                )
                time = max(time + 1, item.pts - first.pts)
                frame.pts, frame.time_base, frame.duration = time, item.time_base, item.duration
                output.mux(stream.encode(frame))
                count += 1
            output.mux(stream.encode())
    return count


def _add_streams(output, container, first, shape):
    """Add streams, and copy descriptions.

    Returns the stream of images of a shape, in a format for every player. The second result has the
    streams for sound and subtitles by the index of those in `container`.
    """
    from av.codec.context import Flags

    source, copies, left_out = container.streams.best("video"), {}, []
    stream = output.add_stream("libx264", rate=source.guessed_rate or 25)
    stream.height, stream.width = (side + side % 2 for side in shape[:2])
    stream.pix_fmt = "yuv420p"
    codec = stream.codec_context
    codec.time_base = first.time_base
    codec.flags |= Flags.frame_duration
    codec.colorspace = codec.color_primaries = codec.color_trc = _matrix(*shape[:2])[1]
    codec.color_range = 1  # from 16 to 235
    if aspect := source.sample_aspect_ratio:
        codec.sample_aspect_ratio = 1 / aspect if first.rotation % 180 else aspect
    for other in (*container.streams.audio, *container.streams.subtitles):
        name = other.codec_context.codec.name if other.codec_context else "unknown"
        if name in output.supported_codecs:
            copies[other.index] = output.add_stream_from_template(other)
            copies[other.index].metadata.update(other.metadata)
        else:
            left_out.append(f"{other.type} ({name})")
    if left_out:
        warnings.warn(
            f"{Path(output.name).suffix} cannot hold {', '.join(left_out)} of {container.name}. "
            "Write another format, such as .mkv or .mov, to keep it.",
            stacklevel=3,
        )
    output.metadata.update({k: v for k, v in container.metadata.items() if k not in _OF_CONTAINER})
    if chapters := container.chapters():
        output.set_chapters(chapters)
    return stream, copies


def _matrix(height, width):
    """Return the matrix that players assume at this size: name for PyAV, and number in H.273."""
    # (Number 6 is SMPTE 170M, which is BT.601 in a file of 525 lines. Wide videos have fewer.)
    return ("ITU709", 1) if height >= 720 or width >= 1280 else ("ITU601", 6)


def steadied(images, steadiness=0.9):
    """Yield the colored images of a film with steady colors, see `color_video`.

    Args:
        images: Iterable of colored frames, uint8 arrays `(height, width, 3)`.
        steadiness: Share of the previous color, in [0, 1); other values raise a `ValueError`.

    Example:
        >>> frames = np.zeros((3, 16, 16, 3), "uint8")
        >>> [image.shape for image in steadied(frames)]
        [(16, 16, 3), (16, 16, 3), (16, 16, 3)]
    """
    check_share("steadiness", steadiness)
    before = None
    for rgb in images:
        rgb, before = _steadied(rgb, before, steadiness)
        yield rgb


def _steadied(rgb, before, steadiness):
    """Return an image mixed with the Lab planes before, which are moved, and its own planes."""
    from keras import ops

    from colorkit.color.spaces import LAB, fit_gamut
    from colorkit.data.motion import estimated, moved  # here, as it imports scikit-image

    lightness, chroma = (ops.convert_to_numpy(plane) for plane in LAB.split(rgb))
    if before is not None:
        # Pixels from outside the image get a lightness that fits nothing.
        before = moved(before, estimated(lightness, before[..., :1]), fill=-1e3)
        same = np.exp(-np.abs(lightness - before[..., :1]) / _LIGHTNESS_SCALE)
        if same.mean() > _CUT:
            chroma = chroma + steadiness * same * (before[..., 1:] - chroma)
            rgb = np.uint8(np.round(255 * fit_gamut(lightness, chroma)))
    return rgb, np.concatenate([lightness, chroma], axis=-1)


def read_frames(path, stride=1):
    """Read the frames of a video one after the other, upright.

    Interlaced frames are deinterlaced, and HDR is converted to the range of other films. If the
    frames end long before the duration in the file, they are read with a warning.

    Args:
        path: Path of a video file.
        stride: Distance between frames; 1 reads all of them, starting with the first.

    Yields:
        uint8 arrays of shape `(height, width, 3)`.

    Raises:
        FileNotFoundError, ImportError: If the file does not exist, or PyAV is not installed.
        ValueError: If the file is damaged, holds no images, or its frames change size.

    Example:
        >>> from PIL import Image
        >>> frames = [Image.fromarray(np.full((16, 16), 40 * i, "uint8")) for i in range(3)]
        >>> frames[0].save("old.gif", save_all=True, append_images=frames[1:])
        >>> [frame.shape for frame in read_frames("old.gif", stride=2)]
        [(16, 16, 3), (16, 16, 3)]
    """
    check_whole("stride", stride)
    for *_, rgb in itertools.islice(_read(path), 0, None, stride):
        yield rgb


def _read(path, copied=()):
    """Yield `(container, frame, image)`, or `(container, packet, None)` of copied streams."""
    path = expanded(path)
    if not path.is_file():
        kind = "not a regular file" if path.exists() else "no such file"
        what = "a folder" if path.is_dir() else kind
        raise FileNotFoundError(f"A video file was expected at {path}, but it is {what}.")
    try:
        import av
    except ImportError as error:
        raise ImportError("Videos need PyAV: pip install av") from error
    frame = None
    try:
        # An absolute path, as FFmpeg takes "12:30.mp4" for an address.
        with av.open(str(path.absolute()), metadata_errors="replace") as container:
            if not container.streams.video:
                raise ValueError(f"{path} holds no images, only sound.")
            for item in _decoded(container, [container.streams[index] for index in copied]):
                if isinstance(item, av.Packet):
                    yield container, item, None
                else:
                    frame = item
                    yield container, frame, _upright(frame)
            if frame is not None:
                _check_end(path, container, frame)
    except (OSError, av.FFmpegError) as error:
        raise ValueError(
            f"{path} cannot be decoded as video ({error}); convert it, for instance with ffmpeg."
        ) from error
    if frame is None:
        raise ValueError(f"{path} holds no frames.")


def _decoded(container, copied):
    """Yield packets of the copied streams, and progressive frames, all of which have a time."""
    from av.filter import Graph

    stream, graph = container.streams.best("video"), None
    stream.thread_type = "AUTO"
    times, time, count = collections.deque(), 0, 0
    for packet in container.demux([stream, *copied]):
        if packet.stream is not stream:
            yield packet
            continue
        if container.format.name == "avi" and packet.dts is not None:
            times.append(packet.dts)  # AVI has no presentation times, and FFmpeg may guess wrong
        for frame in packet.decode():
            if graph is None:
                first, graph = frame, Graph()
                nodes = [graph.add_buffer(template=frame), graph.add("bwdif", _DEINTERLACE)]
                if stream.codec_context.color_trc in _HDR:
                    nodes.append(graph.add("scale", _TO_BT709))
                graph.link_nodes(*nodes, graph.add("buffersink")).configure()
            if (frame.width, frame.height) != (first.width, first.height):
                raise ValueError(
                    f"{container.name} changes size: frame {count} has "
                    f"{frame.width}x{frame.height} pixels, those before have "
                    f"{first.width}x{first.height}. Cut it into two files."
                )
            if times:
                frame.pts = times.popleft()
            elif frame.pts is None:  # as in raw H.264
                frame.pts = time
            time = frame.pts + round(1 / ((stream.guessed_rate or 25) * frame.time_base))
            count += 1
            graph.push(frame)
            yield from _pulled(graph)
    if graph is not None:
        graph.push(None)
        yield from _pulled(graph)


def _pulled(graph):
    """Yield the frames that filters have ready."""
    with contextlib.suppress(BlockingIOError, EOFError):
        while True:
            yield graph.pull()


def _upright(frame):
    """Convert a frame to RGB, rotated and mirrored as its display matrix says."""
    options = {}
    if frame.colorspace == _UNSPECIFIED:
        options["src_colorspace"] = _matrix(frame.height, frame.width)[0]
    transparent = frame.format.is_rgb and frame.format.components[-1].is_alpha
    rgb = as_rgb(frame.to_ndarray(format="rgba" if transparent else "rgb24", **options))
    if "DISPLAYMATRIX" in frame.side_data:
        a, b, _, c, d = np.frombuffer(frame.side_data["DISPLAYMATRIX"], "int32", 5).astype(float)
        if a * d < b * c:
            rgb = rgb[::-1]
    return np.ascontiguousarray(np.rot90(rgb, round(frame.rotation / 90)))  # counterclockwise


def _check_end(path, container, last):
    """Warn if the frames end long before the duration in the file, as in an incomplete file."""
    stream, start = container.streams.best("video"), (container.start_time or 0) / 1e6
    if stream.duration is not None:
        seconds = float(stream.duration * stream.time_base)
    else:  # some formats count it from the first frame, and others from 0
        seconds = max(0, (container.duration or 0) / 1e6 - max(0, start))
    end = float((last.pts + last.duration) * last.time_base) - start
    if seconds - end > max(1.0, seconds / 10):
        warnings.warn(
            f"{path} breaks off after {end:.1f} of {seconds:.1f} seconds; later frames are missing",
            stacklevel=3,
        )
