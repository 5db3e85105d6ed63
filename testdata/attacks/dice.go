package attacks

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"time"
)

// dice are the only source of chance. Each subject has dice of its own, so that more noise changes no attack.
type dice struct{ *rand.Rand }

func newDice(seed uint64, subject string) dice {
	h := fnv.New64a()
	h.Write([]byte(subject)) // never fails
	return dice{rand.New(rand.NewPCG(seed, h.Sum64()))}
}

// chance is true with probability p.
func (d dice) chance(p float64) bool { return d.Float64() < p }

// between draws from lo to hi, both included.
func (d dice) between(lo, hi int) int { return lo + d.IntN(hi-lo+1) }

// span draws a duration, in whole seconds.
func (d dice) span(lo, hi time.Duration) time.Duration {
	if hi <= lo {
		return lo
	}
	return (lo + time.Duration(d.Int64N(int64(hi-lo)))).Truncate(time.Second)
}

// moment draws an instant.
func (d dice) moment(from, to time.Time) time.Time { return from.Add(d.span(0, to.Sub(from))) }

func (d dice) from(alphabet string, n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(alphabet[d.IntN(len(alphabet))])
	}
	return b.String()
}

func (d dice) hex(n int) string    { return d.from("0123456789abcdef", n) }
func (d dice) digits(n int) string { return d.from("123456789", 1) + d.from("0123456789", n-1) }
func (d dice) base32(n int) string { return d.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", n) }

func (d dice) guid() string {
	return d.hex(8) + "-" + d.hex(4) + "-4" + d.hex(3) + "-a" + d.hex(3) + "-" + d.hex(12)
}

// public draws an address of the internet.
func (d dice) public() string {
	return fmt.Sprintf("%d.%d.%d.%d", pick(d, []int{5, 23, 31, 45, 62, 77, 81, 91, 103, 146, 185, 193}), d.between(1, 250), d.between(0, 255), d.between(1, 254))
}

func pick[T any](d dice, list []T) T { return list[d.IntN(len(list))] }

// skewed prefers the front of the list: a few things are busy, most are quiet.
func skewed[T any](d dice, list []T) T {
	f := d.Float64()
	return list[int(f*f*float64(len(list)))]
}

// sample draws n different ones, or all when there are fewer, in a drawn order.
func sample[T any](d dice, list []T, n int) []T {
	out := make([]T, 0, n)
	for _, i := range d.Perm(len(list)) {
		if len(out) == n {
			break
		}
		out = append(out, list[i])
	}
	return out
}
