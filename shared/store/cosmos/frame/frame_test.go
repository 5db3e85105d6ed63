package frame

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestDictionaries(t *testing.T) {
	dice := rand.NewChaCha8([32]byte{1})
	random := make([]byte, 3<<20) // beyond the least window
	_, _ = dice.Read(random)      // never fails
	for _, size := range []int{1, 8, 100, 5000, 3 << 20} {
		old := random[:size]
		changed := append(bytes.Clone(old), fmt.Sprintf("and %d", size)...)
		packed := Compress(changed, old)
		plain, err := Decompress(packed, old)
		if err != nil || !bytes.Equal(plain, changed) {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if len(packed) > 60+size/50 {
			t.Errorf("%d bytes that are known take %d", size, len(packed))
		}
		if _, err := Decompress(packed, nil); err == nil {
			t.Errorf("%d bytes: unpacked without their dictionary", size)
		}
	}
}

func FuzzDecompress(f *testing.F) {
	f.Add([]byte("abcdefghijklmnop"), []byte("abcdefghijklmnop"), []byte{0, 12, 3})
	f.Add([]byte(nil), []byte("x"), []byte("KLUv/QQA"))
	f.Fuzz(func(t *testing.T, dictionary, plain, damaged []byte) {
		got, err := Decompress(Compress(plain, dictionary), dictionary)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%q, %v", got, err)
		}
		_, _ = Decompress(damaged, dictionary)
	})
}
