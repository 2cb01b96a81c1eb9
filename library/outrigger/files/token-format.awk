# Prints a credential as a file's format has it, to the byte. The texts come as token-bytes.awk reads them:
#
#   busybox awk -v format=pgpass -f token-bytes.awk -f token-format.awk
#
# Texts: password, username, host, port, database, expiresAt (RFC 3339) and template. Formats:
#
#   pgbouncer  "USERNAME" "PASSWORD"
#   pgpass     HOST:PORT:DATABASE:USERNAME:PASSWORD; host, port and database that are not given are *
#   env        PGHOST, PGPORT, PGDATABASE and PGUSER, where given, and PGPASSWORD, quoted for sh
#   json       {"username","password","expiresAt"}
#   raw        the password alone
#   template   the template, with ${username}, ${password}, ${expiresAt}, ${host}, ${port} and ${database} replaced; ${password:url}
#              is percent-encoded, ${password:json} a string with its quotes, and $${ is ${
#   hidden     the password, which is none but what a program said, with *** for what of it is one of the texts present and before
#   message    the password, which is none but a line of a log, as a JSON string; what is no UTF-8 is left out
#
# Exit code 1, with a reason on standard error, where the format cannot hold it.

END {
  if (refused) exit 1
  if (format == "hidden") { hidden(); exit }
  if (format == "message") { json("password", 1); exit }
  check()
  if (format == "pgbouncer") pgbouncer()
  else if (format == "pgpass") pgpass()
  else if (format == "env") env()
  else if (format == "json") json_object()
  else if (format == "raw") plain("password")
  else if (format == "template") template()
  else refuse("there is no format " format)
}

function cannot(reason) { refuse("the format " format " cannot hold it: " reason) }
function put(c) { printf "%c", c }
function plain(name,    i) { for (i = 1; i <= size[name]; i++) put(byte[name, i]) }

# The place of a byte in a text, from a place on, or 0.
function place_of(c, name, from) {
  for (; from <= size[name]; from++) if (byte[name, from] == c) return from
  return 0
}

function hidden(    i, length_) {
  for (i = 1; i <= size["password"]; i++) {
    length_ = length_of("present", i)
    if (!length_) length_ = length_of("before", i)
    if (length_) {
      printf "***"
      i += length_ - 1
    }
    else put(byte["password", i])
  }
}

# The length of a text where the password has it at a byte, else 0. A short one is no secret, and parts of words are like it.
function length_of(name, at,    i) {
  if (size[name] < 8) return 0
  for (i = 1; i <= size[name]; i++) if (byte["password", at + i - 1] != byte[name, i]) return 0
  return size[name]
}

function check(    name) {
  if (!size["password"]) refuse("the credential is empty")
  if (size["password"] > 65536) refuse("the credential has " size["password"] " bytes, which is over 64 kB")
  for (name in size) if (place_of(0, name, 1)) refuse("the " (name == "password" ? "credential" : name) " has a NUL byte")
}

function need_username() { if (!size["username"]) refuse("the format " format " needs a username") }

# pgbouncer counts a quote twice, as it is written.
function pgbouncer() {
  need_username()
  if (quoted_size("username") > 127) cannot("the username has over 127 bytes, which is pgbouncer's limit")
  if (quoted_size("password") > 2047) cannot("the password has " quoted_size("password") " bytes, its quotes counted twice, and pgbouncer's limit is 2047")
  if (is_md5() || begins("password", "83 67 82 65 77 45 83 72 65 45 50 53 54 36")) cannot("pgbouncer would take the password for a hash")
  quoted("username")
  put(32)
  quoted("password")
  put(10)
}

function quoted_size(name,    i, sum) {
  sum = size[name]
  for (i = 1; i <= size[name]; i++) if (byte[name, i] == 34) sum++
  return sum
}

function quoted(name,    i) {
  put(34)
  for (i = 1; i <= size[name]; i++) {
    if (byte[name, i] == 34) put(34)
    put(byte[name, i])
  }
  put(34)
}

function begins(name, codes,    list, n, i) {
  n = split(codes, list, " ")
  for (i = 1; i <= n; i++) if (size[name] < i || byte[name, i] != list[i]) return 0
  return 1
}

function is_md5(    i, c) {
  if (size["password"] != 35 || !begins("password", "109 100 53")) return 0
  for (i = 4; i <= 35; i++) {
    c = byte["password", i]
    if (!(c >= 48 && c <= 57 || c >= 97 && c <= 102)) return 0
  }
  return 1
}

function no_newlines(    name) {
  for (name in size) if (name != "template" && place_of(10, name, 1)) cannot("the " name " has a newline")
}

# libpq cuts off what carriage returns a line ends with, and takes a line that begins with # for a comment.
function pgpass() {
  need_username()
  no_newlines()
  if (byte["password", size["password"]] == 13) cannot("the password ends with a carriage return")
  field("host")
  field("port")
  field("database")
  escaped("username")
  put(58)
  escaped("password")
  put(10)
}

function field(name) {
  if (!size[name] || size[name] == 1 && byte[name, 1] == 42) put(42)
  else escaped(name)
  put(58)
}

function escaped(name,    i, c) {
  for (i = 1; i <= size[name]; i++) {
    c = byte[name, i]
    if (c == 58 || c == 92 || i == 1 && (c == 35 || c == 42)) put(92)
    put(c)
  }
}

function env() {
  no_newlines()
  variable("PGHOST", "host")
  variable("PGPORT", "port")
  variable("PGDATABASE", "database")
  variable("PGUSER", "username")
  variable("PGPASSWORD", "password")
}

function variable(key, name,    i) {
  if (!size[name]) return
  printf "%s='", key
  for (i = 1; i <= size[name]; i++) {
    if (byte[name, i] == 39) printf "'\\''"
    else put(byte[name, i])
  }
  printf "'\n"
}

function json_object() {
  printf "{"
  if (size["username"]) {
    printf "\"username\":"
    json("username")
    printf ","
  }
  printf "\"password\":"
  json("password")
  printf ",\"expiresAt\":"
  json("expiresAt")
  printf "}\n"
}

function json(name, leave_out,    i, j, c, step) {
  if (!leave_out && first_not_utf8(name)) cannot("the " name " is no UTF-8, which JSON is")
  put(34)
  for (i = 1; i <= size[name]; i++) {
    c = byte[name, i]
    if (c == 34 || c == 92) { put(92); put(c) }
    else if (c == 10) printf "\\n"
    else if (c < 32 || c == 127) printf "\\u%04x", c
    else {
      step = sequence(name, i)
      for (j = 0; j < step; j++) put(byte[name, i + j])
      if (step > 1) i += step - 1
    }
  }
  put(34)
}

function url(name,    i, c) {
  for (i = 1; i <= size[name]; i++) {
    c = byte[name, i]
    if (c < 128 && sprintf("%c", c) ~ /[A-Za-z0-9._~-]/) put(c)
    else printf "%%%02X", c
  }
}

function template(    i, j, end, text) {
  if (!size["template"]) refuse("the format template needs a template")
  for (i = 1; i <= size["template"]; i++) {
    if (byte["template", i] == 36 && byte["template", i + 1] == 36 && byte["template", i + 2] == 123) {
      put(36)
      put(123)
      i += 2
    }
    else if (byte["template", i] == 36 && byte["template", i + 1] == 123) {
      end = place_of(125, "template", i)
      text = ""
      for (j = i + 2; j < end; j++) text = text sprintf("%c", byte["template", j])
      replace(text)
      i = end ? end : size["template"]
    }
    else put(byte["template", i])
  }
}

function replace(text,    part, n) {
  n = split(text, part, ":")
  if (n > 2 || part[1] !~ /^(username|password|expiresAt|host|port|database)$/)
    refuse("the template has ${" text "}, and there are ${username}, ${password}, ${expiresAt}, ${host}, ${port} and ${database}")
  if (n == 1) plain(part[1])
  else if (part[2] == "url") url(part[1])
  else if (part[2] == "json") json(part[1])
  else refuse("the template has ${" text "}, and there are the filters url and json")
}
