// Package frame packs what is bulky: JSON in Zstandard frames. What is packed by the hundred repeats itself, and an
// item costs by its size.
package frame

import (
	"fmt"
	"math/bits"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/klauspost/compress/zstd"

	"github.com/onepane/onepane/shared/fault"
)

// maxPlain bounds what a frame may unpack to, in bytes: 100 alerts of the largest size a delivery may have do not
// reach it.
const maxPlain = 1 << 30

const minWindow = 1 << 20 // bytes

var encoder = sync.OnceValue(func() *zstd.Encoder { return newEncoder(zstd.WithWindowSize(minWindow)) })

var decoder = sync.OnceValue(func() *zstd.Decoder { return newDecoder() })

func newEncoder(options ...zstd.EOption) *zstd.Encoder {
	e, err := zstd.NewWriter(nil, append(options, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedBetterCompression))...)
	if err != nil {
		panic(err) // the options are constants
	}
	return e
}

func newDecoder(options ...zstd.DOption) *zstd.Decoder {
	d, err := zstd.NewReader(nil, append(options, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPlain))...)
	if err != nil {
		panic(err) // the options are constants
	}
	return d
}

// Encode packs a value. One that is no JSON is fault.Invalid.
func Encode(v any) ([]byte, error) {
	plain, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "encode: %w", err)
	}
	return Compress(plain, nil), nil
}

// Decode unpacks what Encode made.
func Decode(packed []byte, v any) error {
	plain, err := Decompress(packed, nil)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(plain, v); err != nil {
		return fmt.Errorf("damaged item: %w", err)
	}
	return nil
}

// Compress packs bytes. A dictionary is bytes that they may repeat, and that whoever unpacks them must have as
// well; most have none.
func Compress(plain, dictionary []byte) []byte {
	out := make([]byte, 0, len(plain)/4)
	if len(dictionary) == 0 {
		return encoder().EncodeAll(plain, out)
	}
	e := newEncoder(zstd.WithEncoderDictRaw(dictionaryID, dictionary), zstd.WithWindowSize(windowOver(len(plain)+len(dictionary))))
	defer e.Close() // nothing is open
	return e.EncodeAll(plain, out)
}

// dictionaryID marks a frame that needs a dictionary. Which one the caller knows.
const dictionaryID = 1

// windowOver is the window in which the end of what is packed reaches the beginning of the dictionary.
func windowOver(size int) int {
	return min(zstd.MaxWindowSize, max(minWindow, 1<<bits.Len(uint(size))))
}

// Decompress unpacks what Compress made with the same dictionary.
func Decompress(packed, dictionary []byte) ([]byte, error) {
	d := decoder()
	if len(dictionary) > 0 {
		d = newDecoder(zstd.WithDecoderDictRaw(dictionaryID, dictionary))
		defer d.Close()
	}
	plain, err := d.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("damaged item: %w", err)
	}
	return plain, nil
}
