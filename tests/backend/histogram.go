package backend

import (
	"math"
	"math/bits"
)

// histogram counts durations in nanoseconds, in 32 buckets for each doubling.
type histogram struct {
	buckets [60 * 32]int
	count   int
	max     int64
}

// add counts a duration; one below zero, which clocks that differ make, counts as zero.
func (h *histogram) add(nanoseconds int64) {
	nanoseconds = max(nanoseconds, 0)
	h.buckets[bucket(uint64(nanoseconds))]++
	h.count++
	h.max = max(h.max, nanoseconds)
}

// quantile returns the duration that a share of all durations does not exceed: 0.5 for the median.
func (h *histogram) quantile(share float64) int64 {
	rank := int(math.Ceil(share * float64(h.count)))
	for i, count := range h.buckets {
		if rank -= count; rank <= 0 && count > 0 {
			return min(highest(i), h.max)
		}
	}
	return 0
}

// bucket returns where a value is counted.
func bucket(value uint64) int {
	shift := max(bits.Len64(value)-6, 0)
	return shift*32 + int(value>>shift)
}

// highest returns the highest value that a bucket counts.
func highest(bucket int) int64 {
	shift := max(bucket/32-1, 0)
	return int64(uint64(bucket-shift*32+1)<<shift - 1)
}

func milliseconds(nanoseconds int64) float64 { return float64(nanoseconds) / 1e6 }
