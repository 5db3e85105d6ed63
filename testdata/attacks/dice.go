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

// isTrue is true with probability p.
func (d dice) isTrue(p float64) bool { return d.Float64() < p }

// drawInt draws from lo to hi, both included.
func (d dice) drawInt(lo, hi int) int { return lo + d.IntN(hi-lo+1) }

// drawDuration draws a duration, in whole seconds.
func (d dice) drawDuration(lo, hi time.Duration) time.Duration {
	if hi <= lo {
		return lo
	}
	return (lo + time.Duration(d.Int64N(int64(hi-lo)))).Truncate(time.Second)
}

// drawTime draws an instant.
func (d dice) drawTime(from, to time.Time) time.Time {
	return from.Add(d.drawDuration(0, to.Sub(from)))
}

func (d dice) drawText(alphabet string, n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(alphabet[d.IntN(len(alphabet))])
	}
	return b.String()
}

func (d dice) drawHex(n int) string { return d.drawText("0123456789abcdef", n) }
func (d dice) drawDigits(n int) string {
	return d.drawText("123456789", 1) + d.drawText("0123456789", n-1)
}
func (d dice) drawBase32(n int) string { return d.drawText("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", n) }

func (d dice) drawGUID() string {
	return d.drawHex(8) + "-" + d.drawHex(4) + "-4" + d.drawHex(3) + "-a" + d.drawHex(3) + "-" + d.drawHex(12)
}

// drawPublicIP draws an address of the internet.
func (d dice) drawPublicIP() string {
	return fmt.Sprintf("%d.%d.%d.%d", pickOne(d, []int{5, 23, 31, 45, 62, 77, 81, 91, 103, 146, 185, 193}), d.drawInt(1, 250), d.drawInt(0, 255), d.drawInt(1, 254))
}

func pickOne[T any](d dice, list []T) T { return list[d.IntN(len(list))] }

// pickBusy prefers the front of the list: a few things are busy, most are quiet.
func pickBusy[T any](d dice, list []T) T {
	f := d.Float64()
	return list[int(f*f*float64(len(list)))]
}

// pickSome draws n different ones, or all when there are fewer, in a drawn order.
func pickSome[T any](d dice, list []T, n int) []T {
	out := make([]T, 0, n)
	for _, i := range d.Perm(len(list)) {
		if len(out) == n {
			break
		}
		out = append(out, list[i])
	}
	return out
}
