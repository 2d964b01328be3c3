-- 5.3's operators, priorities and escapes.
local a, b, c = ...
return a // b, (a // b) // c, a // (b // c), a & b | c ~ a, a & (b | c), (a & b) | c, ~a, ~(~a), ~(a & b), (~a) & b, a ~ ~b,
  a << b >> c, a << (b >> c), (a << b) .. c, a << (b .. c), 1 << 4, 0xff & 0x0f, 7 // 2, 3 | 4, (a ~ b) == (b ~ a),
  "\x41\u{48}\u{20AC}\z
      B", '\u{7fff}', 0x7fffffff, 0x10000000000000000, 0xffffffffffffffff, 9223372036854775807, 9223372036854775808,
  0x.8p1, 0x1p4, 0x1P-4, 1//1, a-~b, a- -b, - -a, 1e1, 0xep1, 3 .. 4, 5 or 6, 5 and 6, 0xffor 7, {5 or a, 5 == a}
