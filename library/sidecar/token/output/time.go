package output

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	seconds = regexp.MustCompile(`^([0-9]+)([.][0-9]+)?$`)
	moment  = regexp.MustCompile(`^([0-9]{4})-?([0-9]{2})-?([0-9]{2})[Tt ]([0-9]{2}):?([0-9]{2}):?([0-9]{2})([.,][0-9]+)?([Zz]|[+-][0-9]{2}:?[0-9]{2})?$`)
)

// mostSeconds are those of the year 5138. What is more are milliseconds, which are refused, not taken for the year 57974.
const mostSeconds = 1e11

// readTime reads a time, in whole seconds, as tools write it:
//
//	2026-01-02T03:04:05Z, 2026-01-02T03:04:05.678+01:00   RFC 3339
//	20260102T030405Z                                      as AWS writes it
//	1767323045, 1767323045.678                            seconds since 1970
//	2026-01-02 03:04:05.678901                            without a zone it is local time: so az writes it
func readTime(text string, local *time.Location) (time.Time, bool) {
	if number := seconds.FindStringSubmatch(text); number != nil {
		unix, err := strconv.ParseInt(number[1], 10, 64)
		return time.Unix(unix, 0), err == nil && unix < mostSeconds
	}
	fields := moment.FindStringSubmatch(text)
	if fields == nil {
		return time.Time{}, false
	}
	var of [6]int
	for i := range of {
		of[i], _ = strconv.Atoi(fields[i+1])
	}
	year, month, day, hour, minute, second := of[0], of[1], of[2], of[3], of[4], of[5]
	if month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60 {
		return time.Time{}, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, 0, zone(fields[8], local)), true
}

// zone reads +01:00, +0100, Z or nothing.
func zone(text string, local *time.Location) *time.Location {
	switch text {
	case "":
		return local
	case "Z", "z":
		return time.UTC
	}
	digits := strings.ReplaceAll(text[1:], ":", "")
	hours, _ := strconv.Atoi(digits[:2])
	minutes, _ := strconv.Atoi(digits[2:])
	offset := hours*3600 + minutes*60
	if text[0] == '-' {
		offset = -offset
	}
	return time.FixedZone("", offset)
}
