# Prints the unix time, in whole seconds, of each line of standard input:
#
#   2026-01-02T03:04:05Z, 2026-01-02T03:04:05.678+01:00   RFC 3339
#   20260102T030405Z                                      as AWS writes it
#   1767323045, 1767323045.678                            seconds since 1970; milliseconds are refused, not taken for the year 57974
#   2026-01-02 03:04:05.678901                            without a zone it is local time: so az writes it
#
# Exit code 1 where a line is none of these.

function fail_() { print "the expiry is no time: write it as 2026-01-31T12:00:00Z, or in seconds since 1970" > "/dev/stderr"; exit 1 }

/^[0-9]+([.][0-9]+)?$/ && $0 + 0 < 1e11 { printf "%.0f\n", int($0); next }

{
  if (!match($0, /^[0-9][0-9][0-9][0-9]-?[0-9][0-9]-?[0-9][0-9][Tt ][0-9][0-9]:?[0-9][0-9]:?[0-9][0-9]/)) fail_()
  digits = substr($0, 1, RLENGTH)
  zone = substr($0, RLENGTH + 1)
  gsub(/[^0-9]/, "", digits)
  sub(/^[.,][0-9]+/, "", zone)
  year = substr(digits, 1, 4) + 0
  month = substr(digits, 5, 2) + 0
  day = substr(digits, 7, 2) + 0
  hour = substr(digits, 9, 2) + 0
  minute = substr(digits, 11, 2) + 0
  second = substr(digits, 13, 2) + 0
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) fail_()
  if (zone == "") {
    printf "%.0f\n", mktime(year " " month " " day " " hour " " minute " " second)
    next
  }
  if (zone ~ /^[Zz]$/) offset = 0
  else if (zone ~ /^[+-][0-9][0-9]:?[0-9][0-9]$/) {
    offset = substr(zone, 2, 2) * 3600 + substr(zone, length(zone) - 1) * 60
    if (zone ~ /^-/) offset = -offset
  }
  else fail_()
  # Days since 1970, in years that begin in March.
  if (month < 3) {
    month += 12
    year--
  }
  days = 365 * year + int(year / 4) - int(year / 100) + int(year / 400) + int((153 * month - 457) / 5) + day - 719469
  printf "%.0f\n", ((days * 24 + hour) * 60 + minute) * 60 + second - offset
}
