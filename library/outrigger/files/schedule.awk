# Prints the first unix time after a given one at which a cron expression matches:
#
#   TZ=Europe/Berlin busybox awk -v expression='17 3 * * *' -v after=1700000000 -f schedule.awk
#
# It takes what a CronJob takes and answers what Kubernetes would: it is ParseStandard and Next of
# github.com/robfig/cron/v3 step by step, as it is the steps that decide what happens where clocks change.
# The zone is TZ; one that the C library does not know, or has no file of, is UTC without a word.
# Exit code 2: the expression cannot be taken; 3: nothing matches in five years.

BEGIN {
  if (after !~ /^[0-9]+$/) stop(2, "the time \"" after "\" to search after is no unix time: write seconds since 1970")
  count = split("minute,hour,day of month,month,day of week", title, ",")
  split("0,0,1,1,0", lowest, ",")
  split("59,23,31,12,6", highest, ",")
  split("0 to 59;0 to 23;1 to 31;1 to 12 or JAN to DEC;0 to 6 or SUN to SAT", choice, ";")
  name_numbers(4, "jan,feb,mar,apr,may,jun,jul,aug,sep,oct,nov,dec")
  name_numbers(5, "sun,mon,tue,wed,thu,fri,sat")
  read_expression()

  look_at(after + 1)
  last_year = year + 5
  while (year <= last_year) {
    if (find_month() && find_day() && find_hour() && find_minute() && find_second()) {
      print now
      exit 0
    }
  }
  never()
}

function stop(code, message) {
  print "schedule \"" expression "\": " message > "/dev/stderr"
  exit code
}

function never() {
  stop(3, "matches at no time in five years: write a day of month that the month has")
}

function name_numbers(field, list,    names, i, n) {
  n = split(list, names, ",")
  for (i = 1; i <= n; i++) number_of[field, names[i]] = lowest[field] + i - 1
}

function read_expression(    text, fields, n, field) {
  if (expression ~ /^(CRON_)?TZ=/)
    stop(2, "a time zone has no place in it: set timeZone, and write the five fields alone")
  if (expression ~ /^@every /)
    stop(2, "@every counts from the start and keeps to no clock: write @hourly, or five fields such as 0 */6 * * *")
  text = expression
  if (text ~ /^@/) {
    descriptor["@hourly"] = "0 * * * *"
    descriptor["@daily"] = descriptor["@midnight"] = "0 0 * * *"
    descriptor["@weekly"] = "0 0 * * 0"
    descriptor["@monthly"] = "0 0 1 * *"
    descriptor["@yearly"] = descriptor["@annually"] = "0 0 1 1 *"
    if (!(text in descriptor))
      stop(2, "there is no such name: write @hourly, @daily, @weekly, @monthly, @yearly, or five fields")
    text = descriptor[text]
  }
  gsub(/[\t\n\v\f\r]/, " ", text)
  n = split(text, fields, " ")
  if (n != count)
    stop(2, "it has " n " fields: write five, which are minute, hour, day of month, month and day of week")
  for (field = 1; field <= count; field++) read_field(field, fields[field])
  # A field of commas matches nothing. The search would take every minute of five years to see it.
  if (!size[1] || !size[2] || !size[4]) never()
}

function read_field(field, text,    ranges, n, i) {
  n = split(text, ranges, ",")
  for (i = 1; i <= n; i++) if (ranges[i] != "") read_range(field, ranges[i])
}

# What follows "*-" is ignored, and the step of "5/15" goes on to the highest: so it is in Kubernetes.
function read_range(field, text,    parts, slashes, ends, hyphens, from, to, step, all) {
  slashes = split(text, parts, "/")
  hyphens = split(parts[1], ends, "-")
  all = ends[1] == "*" || ends[1] == "?"
  if (all) {
    from = lowest[field]
    to = highest[field]
  } else {
    from = to = number(field, text, ends[1])
    if (hyphens == 2) to = number(field, text, ends[2])
    if (hyphens > 2) refuse(field, text, "has more than one hyphen", "a range as 1-5")
  }
  step = 1
  if (slashes > 2) refuse(field, text, "has more than one slash", "a step as */5 or 1-20/5")
  if (slashes == 2) {
    if (parts[2] !~ /^[+]?[0-9]+$/ || length(parts[2]) > 18)
      refuse(field, text, "has a step that is no number", "*/5, say")
    step = parts[2] + 0
    if (hyphens < 2) to = highest[field]
  }
  if (from < lowest[field]) refuse(field, text, "is below " lowest[field], choice[field])
  if (field == 5 && (from == 7 || to == 7)) refuse(field, text, "is above 6", choice[field] ", Sunday is 0")
  if (from > highest[field] || to > highest[field]) refuse(field, text, "is above " highest[field], choice[field])
  if (from > to) refuse(field, text, "goes backwards", from "-" highest[field] "," lowest[field] "-" to)
  if (step == 0) refuse(field, text, "has a step of 0", "a step of 1 or more")
  # Only a star without a step leaves the day to the other of the two fields of days.
  if (all && step == 1) starred[field] = 1
  for (; from <= to; from += step) {
    matches[field, from] = 1
    size[field]++
  }
}

function number(field, range, text) {
  if ((field, tolower(text)) in number_of) return number_of[field, tolower(text)]
  if (text !~ /^[+]?[0-9]+$/) refuse(field, range, "is no number", choice[field])
  return text + 0
}

function refuse(field, text, fault, mend) {
  stop(2, "the " title[field] " \"" text "\" " fault ": write " mend)
}

# The search goes from the largest unit to the smallest. A unit that rolls over starts it anew, with 0 returned.
# The first step cuts off what is smaller than its unit; later ones start from what is already cut.

function find_month() {
  while (!((4, month) in matches)) {
    if (!cut) look_at(date(year, month, 1, 0, 0, 0))
    cut = 1
    look_at(date(year, month + 1, day, hour, minute, second))
    if (month == 1) return 0
  }
  return 1
}

function find_day(    before) {
  while (!day_matches()) {
    if (!cut) look_at(date(year, month, day, 0, 0, 0))
    cut = 1
    before = now
    look_at(date(year, month, day + 1, hour, minute, second))
    # Where clocks change at midnight there may be none.
    if (hour > 12) look_at(now + (24 - hour) * 3600)
    else if (hour > 0) look_at(now - hour * 3600)
    # Where a zone crossed the date line a day is missing: robfig's search stays before it for ever.
    if (now <= before) look_at(before + 86400)
    if (day == 1) return 0
  }
  return 1
}

function day_matches(    by_month, by_week) {
  by_month = (3, day) in matches
  by_week = (5, weekday) in matches
  return starred[3] || starred[5] ? by_month && by_week : by_month || by_week
}

function find_hour() {
  while (!((2, hour) in matches)) {
    if (!cut) look_at(date(year, month, day, hour, 0, 0))
    cut = 1
    look_at(now + 3600)
    if (hour == 0) return 0
  }
  return 1
}

function find_minute() {
  while (!((1, minute) in matches)) {
    if (!cut) look_at(now - second)
    cut = 1
    look_at(now + 60)
    if (minute == 0) return 0
  }
  return 1
}

function find_second() {
  if (second == 0) return 1
  cut = 1
  look_at(now + 60 - second)
  return 0
}

function look_at(unix,    part) {
  now = unix
  split(strftime("%Y %m %d %H %M %S %w", unix), part, " ")
  year = part[1] + 0
  month = part[2] + 0
  day = part[3] + 0
  hour = part[4] + 0
  minute = part[5] + 0
  second = part[6] + 0
  weekday = part[7] + 0
}

# The unix time of a local time. Where a clock change makes none or two of it, it is the one that Go's
# time.Date takes, which mktime() need not be.
function date(year, month, day, hour, minute, second,    unix) {
  # In a year that begins in March the leap day is the last, and the January after it is month 13.
  if (month < 3) {
    month += 12
    year--
  }
  unix = 365 * year + int(year / 4) - int(year / 100) + int(year / 400) + int((153 * month - 457) / 5) + day - 719469
  unix = ((unix * 24 + hour) * 60 + minute) * 60 + second
  return unix - offset_at(unix - offset_at(unix))
}

function offset_at(unix,    text, seconds) {
  text = strftime("%z", unix)
  seconds = substr(text, 2, 2) * 3600 + substr(text, 4, 2) * 60
  return text ~ /^-/ ? -seconds : seconds
}
