import { FrameAssembler } from "@karst/kafka-protocol";
import { copyOf } from "@karst/runtime";

/** Cuts what a peer sends into frames of any size: the peer is one of ours. @param onFrame gets bytes of its own. */
export function trustedFrames(
  frameBytesMin: number,
  onFrame: (frame: Uint8Array) => void,
): FrameAssembler {
  const frames = new FrameAssembler({
    onFrame: (frame) => onFrame(copyOf(frame.bytes)),
    reserve: () => true,
    release: () => undefined,
    frameBytesMin,
  });
  frames.trust();
  return frames;
}
