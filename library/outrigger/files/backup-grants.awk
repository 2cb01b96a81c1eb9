# Reads grants as a server of MySQL's or MariaDB's prints them (SHOW GRANTS), of a user and of his roles, and prints what they
# allow in one database: a privilege a line. What is allowed in all databases comes a second time, with "everywhere" after it; and
# where the user has a grant for databases such as this one, for which it is: "ON `shop%`.*". One that is more exact would hide it.
#
#   DATABASE   its name, from the environment: -v would take a backslash in it for the beginning of something else
#   folded     whether names in capitals are the same to the server, or 0

function identifier(text, at) { # sets name and rest of a text that begins with a quoted one
  name = ""
  for (at = 2; at <= length(text); at++) {
    if (substr(text, at, 1) != "`") name = name substr(text, at, 1)
    else if (substr(text, at + 1, 1) == "`") { name = name "`"; at++ }
    else break
  }
  rest = substr(text, at + 1)
}

# Makes a pattern of a grant's database a regular expression, and sets fixed to the length of what comes before its first wildcard.
function expression(pattern, at, c, made) {
  fixed = 1000
  for (at = 1; at <= length(pattern); at++) {
    c = substr(pattern, at, 1)
    if (c == "%" || c == "_") { if (fixed == 1000) fixed = at; made = made (c == "%" ? ".*" : "."); continue }
    if (c == "\\" && at < length(pattern)) c = substr(pattern, ++at, 1)
    made = made (c ~ /[][\\^$.*+?(){}|\/]/ ? "\\" c : c)
  }
  return "^" made "$"
}

BEGIN { database = cased(ENVIRON["DATABASE"]) }

function cased(text) { return folded ? tolower(text) : text }

match($0, / ON /) && /^(GRANT|REVOKE) / {
  revoked = $1 == "REVOKE"
  privileges = substr($0, length($1) + 2, RSTART - length($1) - 2)
  object = substr($0, RSTART + 4)
  if (object ~ /^\*\.\* /) { add(revoked ? "taken" : "global"); next }
  if (object !~ /^`/) next
  identifier(object)
  if (name == "mysql" && rest ~ /^\.`proc` / && privileges ~ /(^|, *)SELECT(,|$)/) print "SELECT of mysql.proc"
  if (rest !~ /^\.\* /) next
  if (!revoked && "mysql" ~ expression(name) && privileges ~ /(^|, *)(SELECT|ALL PRIVILEGES)(,|$)/) print "SELECT of mysql.proc"
  if (database !~ expression(cased(name))) next
  if (revoked) { add("taken"); next }
  # Of several patterns that a user's own grants have, the most exact one holds alone.
  grantee = rest
  sub(/^\.\* TO /, "", grantee)
  sub(/ (WITH|REQUIRE|IDENTIFIED) .*/, "", grantee)
  if (fixed > best[grantee]) { best[grantee] = fixed; own[grantee] = privileges; scope[grantee] = substr(object, 1, length(object) - length(rest)) }
}

function add(kind, i, count, words) {
  count = split(privileges, words, /, */)
  for (i = 1; i <= count; i++) { if (kind == "taken") taken[words[i]]; else global[words[i]] }
}

END {
  for (grantee in own) {
    count = split(own[grantee], words, /, */)
    for (i = 1; i <= count; i++) print words[i]
    if (grantee ~ /@/) print "ON " scope[grantee] ".*"
  }
  for (word in global) {
    print word " everywhere"
    if (!(word in taken)) print word
  }
}
