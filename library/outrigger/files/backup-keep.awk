# Prints which snapshots need not be kept. Reads "SECONDS SNAPSHOT", the oldest first; keep is restic's
# options, --keep-last 3 --keep-daily 7 …, and means what it means there: of each of the last so many days that
# have a snapshot, the newest is kept; and the oldest of all, where there are not that many days. TZ is the zone of
# the days.
function kept_of(option, format,   i, period, last) {
  if (!(option in wanted)) return
  left = wanted[option]
  for (i = count; i > 0 && left > 0; i--) {
    period = format == "" ? i : strftime(format, seconds[i])
    if (period == last && i > 1) continue
    last = period
    keeps[i] = 1
    left--
  }
}

{ count++; seconds[count] = $1; name[count] = $2 }

END {
  words = split(keep, word, " ")
  for (i = 1; i < words; i += 2) wanted[substr(word[i], 8)] = word[i + 1]
  kept_of("last", "")
  kept_of("hourly", "%Y-%m-%d %H")
  kept_of("daily", "%Y-%m-%d")
  kept_of("weekly", "%G-%V")
  kept_of("monthly", "%Y-%m")
  kept_of("yearly", "%Y")
  for (i = 1; i <= count; i++) if (!(i in keeps)) print name[i]
}
