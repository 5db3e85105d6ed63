package cosmos

import (
	"fmt"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/zstd"

	"github.com/onepane/onepane/shared/fault"
)

// Bulk is JSON in a Zstandard frame: what is packed by the hundred repeats itself, and an item costs by its size.

// maxFrameBytes bounds what a frame may unfold to: 100 alerts of the largest size a delivery may have do not reach it.
const maxFrameBytes = 1 << 30

var frameEncoder = sync.OnceValue(func() *zstd.Encoder {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBetterCompression), zstd.WithWindowSize(1<<20))
	if err != nil {
		panic(err) // the options are constants
	}
	return e
})

var frameDecoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxFrameBytes))
	if err != nil {
		panic(err) // the options are constants
	}
	return d
})

// encodeFrame encodes v.
func encodeFrame(v any) ([]byte, error) {
	plain, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "encode: %w", err)
	}
	return frameEncoder().EncodeAll(plain, make([]byte, 0, len(plain)/4)), nil
}

// decodeFrame decodes what pack made.
func decodeFrame(packed []byte, v any) error {
	plain, err := frameDecoder().DecodeAll(packed, nil)
	if err != nil {
		return fmt.Errorf("damaged item: %w", err)
	}
	if err := json.Unmarshal(plain, v); err != nil {
		return fmt.Errorf("damaged item: %w", err)
	}
	return nil
}
