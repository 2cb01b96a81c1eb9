# What the token refresher's other programs share: texts as bytes, as a text may be in no encoding at all. Names of texts and
# their bytes come from standard input, the bytes as `od -An -v -tu1` prints them:
#
#   password
#    112  97 115 115
#
# A text of one line that must not be shown is read in this way too, so that it is in no argument and no variable.

/^[A-Za-z]/ { name = $1; size[name] += 0; next }
{ for (i = 1; i <= NF; i++) byte[name, ++size[name]] = $i + 0 }

# Ends with exit code 1 and a reason. What is said of a text never has any of it.
function refuse(reason) {
  print reason > "/dev/stderr"
  refused = 1
  exit 1
}

# How many bytes the UTF-8 character at a byte has; 0 where there is none: a surrogate, an overlong form or a stray byte.
function sequence(name, at,    first, second, length_, i) {
  first = byte[name, at]
  if (first < 128) return 1
  length_ = first >= 194 && first < 224 ? 2 : first >= 224 && first < 240 ? 3 : first >= 240 && first < 245 ? 4 : 0
  if (!length_ || at + length_ - 1 > size[name]) return 0
  second = byte[name, at + 1]
  if (first == 224 && second < 160 || first == 237 && second > 159 || first == 240 && second < 144 || first == 244 && second > 143) return 0
  for (i = 1; i < length_; i++) if (byte[name, at + i] < 128 || byte[name, at + i] > 191) return 0
  return length_
}

# The first byte of a text that is no UTF-8, or 0.
function first_not_utf8(name,    at, step) {
  for (at = 1; at <= size[name]; at += step) if (!(step = sequence(name, at))) return at
  return 0
}
