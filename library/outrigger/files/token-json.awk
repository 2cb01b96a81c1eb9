# Finds values in a JSON text, which comes as token-bytes.awk reads it, by the name "output":
#
#   POINTERS='password string /status/token' busybox awk -v into=DIRECTORY -f token-bytes.awk -f token-json.awk
#
#   POINTERS   "NAME KIND POINTER", one a line: a JSON pointer (RFC 6901), whose value becomes the file NAME in the directory.
#              Of several of one name the first that has a value counts. KIND string takes strings alone, and scalar numbers too.
#
# The value is the string's own bytes. One that is null or not there makes no file. Exit code 1, with a reason on
# standard error, where the text is not JSON, or a value is not of its kind, is empty, or has a NUL byte.

END {
  if (refused) exit 1
  wanted_size = split(ENVIRON["POINTERS"], line, "\n")
  for (i = 1; i <= wanted_size; i++) {
    split(line[i], word, " ")
    wanted_name[i] = word[1]
    wanted_kind[i] = word[2]
    wanted[i] = substr(line[i], length(word[1]) + length(word[2]) + 3)
  }
  if (!size["output"]) refuse("the output is empty")
  if (i = first_not_utf8("output")) malformed(i, "no UTF-8")
  at = 1
  space()
  value("", 0)
  space()
  if (at <= size["output"]) malformed(at, "more after the end")
  for (i = 1; i <= wanted_size; i++)
    if (i in start && !(wanted_name[i] in done)) {
      done[wanted_name[i]]
      write_value(i)
    }
}

function malformed(where, why) { refuse("the output is no JSON: " why " at byte " where) }
function here() { return at <= size["output"] ? byte["output", at] : -1 }
function space() { while (here() == 32 || here() == 9 || here() == 10 || here() == 13) at++ }

# Reads the value that begins here. Of two values of one pointer the last counts, as everywhere.
function value(pointer, depth,    c, i) {
  if (depth > 200) malformed(at, "more than 200 levels")
  for (i = 1; i <= wanted_size; i++) {
    if (wanted[i] == pointer || index(wanted[i], pointer "/") == 1) delete start[i]
    if (wanted[i] == pointer) start[i] = at
  }
  c = here()
  if (c == 123) object(pointer, depth)
  else if (c == 91) array(pointer, depth)
  else if (c == 34) string("")
  else if (c == 45 || c >= 48 && c <= 57) number()
  else if (c == 116) word_("116 114 117 101")
  else if (c == 102) word_("102 97 108 115 101")
  else if (c == 110) {
    word_("110 117 108 108")
    for (i = 1; i <= wanted_size; i++) if (wanted[i] == pointer) delete start[i]
  }
  else malformed(at, "no value")
}

function object(pointer, depth) {
  at++
  space()
  if (here() == 125) { at++; return }
  for (;;) {
    if (here() != 34) malformed(at, "no name")
    string("text")
    gsub(/~/, "~0", text)
    gsub(/\//, "~1", text)
    member(pointer "/" text, depth)
    if (here() == 125) { at++; return }
    if (here() != 44) malformed(at, "no comma")
    at++
    space()
  }
}

function member(pointer, depth) {
  space()
  if (here() != 58) malformed(at, "no colon")
  at++
  space()
  value(pointer, depth + 1)
  space()
}

function array(pointer, depth,    i) {
  at++
  space()
  if (here() == 93) { at++; return }
  for (i = 0; ; i++) {
    value(pointer "/" i, depth + 1)
    space()
    if (here() == 93) { at++; return }
    if (here() != 44) malformed(at, "no comma")
    at++
    space()
  }
}

function word_(codes,    list, n, i) {
  n = split(codes, list, " ")
  for (i = 1; i <= n; i++) {
    if (here() != list[i]) malformed(at, "no value")
    at++
  }
}

# Reads a number, and sets text to it.
function number() {
  text = ""
  if (here() == 45) take()
  if (here() == 48) take()
  else digits()
  if (here() == 46) { take(); digits() }
  if (here() == 101 || here() == 69) {
    take()
    if (here() == 43 || here() == 45) take()
    digits()
  }
}

function take() { text = text sprintf("%c", here()); at++ }

function digits(    from) {
  from = at
  while (here() >= 48 && here() <= 57) take()
  if (at == from) malformed(at, "no digit")
}

# Reads a string. Its bytes go nowhere, or to text, or to the file.
function string(to,    from, c) {
  from = at++
  text = ""
  for (;;) {
    c = here()
    if (c < 0) malformed(from, "no end of the string")
    if (c < 32) malformed(at, "a control character in a string")
    at++
    if (c == 34) return
    if (c == 92) escape(to)
    else put(c, to)
  }
}

function escape(to,    c, code, low) {
  c = here()
  at++
  if (c == 110) put(10, to)
  else if (c == 34 || c == 47 || c == 92) put(c, to)
  else if (c == 116) put(9, to)
  else if (c == 114) put(13, to)
  else if (c == 98) put(8, to)
  else if (c == 102) put(12, to)
  else if (c == 117) {
    code = hexadecimal()
    if (code >= 56320 && code < 57344) malformed(at - 6, "half of a surrogate pair")
    if (code >= 55296 && code < 56320) {
      if (here() != 92 || byte["output", at + 1] != 117) malformed(at - 6, "half of a surrogate pair")
      at += 2
      low = hexadecimal()
      if (low < 56320 || low > 57343) malformed(at - 12, "half of a surrogate pair")
      code = 65536 + (code - 55296) * 1024 + low - 56320
    }
    put_character(code, to)
  }
  else malformed(at - 1, "an unknown escape")
}

function hexadecimal(    code, i, c, digit) {
  for (i = 0; i < 4; i++) {
    c = here()
    digit = c >= 48 && c <= 57 ? c - 48 : c >= 65 && c <= 70 ? c - 55 : c >= 97 && c <= 102 ? c - 87 : -1
    if (digit < 0) malformed(at, "no hexadecimal digit")
    code = code * 16 + digit
    at++
  }
  return code
}

function put_character(code, to) {
  if (code < 128) { put(code, to); return }
  if (code < 2048) put(192 + int(code / 64), to)
  else {
    if (code < 65536) put(224 + int(code / 4096), to)
    else {
      put(240 + int(code / 262144), to)
      put(128 + int(code / 4096) % 64, to)
    }
    put(128 + int(code / 64) % 64, to)
  }
  put(128 + code % 64, to)
}

function put(c, to) {
  if (to == "") return
  if (to == "text") { text = text sprintf("%c", c); return }
  if (!c) refuse("the value at " wanted[i] " has a NUL byte")
  printf "%c", c > to
}

function write_value(i,    file, c) {
  file = into "/" wanted_name[i]
  at = start[i]
  c = here()
  if (c == 34) {
    if (byte["output", at + 1] == 34) refuse("the value at " wanted[i] " is empty")
    string(file)
  }
  else if (wanted_kind[i] == "scalar" && (c == 45 || c >= 48 && c <= 57)) {
    number()
    printf "%s", text > file
  }
  else refuse("the value at " wanted[i] " is no string")
}
