-- Strings in all their forms.
return "plain", 'single', [[long]], [==[
first line end goes]==], "with \"double\"", 'with \'single\'', "both ' and \"", "tab\tand\\slash", "\n\n\n\n",
  "\065\66\0671", "\0", "\0001", "\1\2\3", "caf\195\169", "\255\254", "ends in ]", "[[\\\\\\\\", "]]\\\\\\\\", '\\\\\\\\]',
  "one\
two", [[

two empty lines first]], [[
a]], "a]]b\n\n\n\n\n", [=[ [[nested]] ]=], "", '', [[]], "\"", '"', "--[[no comment]]", '\a\b\f\n\r\t\v', x["\97"]
