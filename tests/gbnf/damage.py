"""GBNF texts at the edges of the notation, and damaged ones."""

from __future__ import annotations

import random
from pathlib import Path

GRAMMARS = Path(__file__).parents[2] / "grammars"

EDGES = r"""
root ::= "a"
root::="a"
  root   ::=   "a"\u0020 \u0020
root ::= "a"b"c"\nb::=[d]
\n\n# note\nroot ::= # note\n  "a" # note\n\n# end
root ::= "a"\r\nb ::= "c"\r\n
root ::= "a"\rb ::= "c"
root ::= "a" |\n  "b"
root ::= "a"\n  | "b"
root ::=\n\n  "a"
root\n::= "a"
root ::= ("a"\n  | "b"\n  # note\n  | "c")
root ::= (\n"a"\n)\n*
root ::= ("a")\n*
root ::= ("a" {\n2\n,\n3\n})
root ::= "a" { 2 , 3 }
root ::= "a" { 2 ,\n3 }
root ::= "a"{2}
root ::= "a"{02}
root ::= "a"{2,}
root ::= "a"{,2}
root ::= "a"{}
root ::= "a"{2
root ::= "a"{2,3
root ::= "a"{2 3}
root ::= "a"{2x}
root ::= "a"{2}3\n3 ::= "b"
root ::= "a"{0}
root ::= "a"{0,0}
root ::= "a"{0}*
root ::= "a"{0} "b"*
root ::= "a"{2000}
root ::= "a"{2001}
root ::= "a"{2001,}
root ::= "a"{0,2000}
root ::= "a"{0,2001}
root ::= "a"{7,2001}
root ::= "a"{0,18446744073709551615}
root ::= "a"{0,18446744073709551616}
root ::= "a"{18446744073709551616}
root ::= "a"{0,99999999999999999999999999}
root ::= "a"{40}{50}
root ::= "a"{40}{51}
root ::= "a"{40,}{51}
root ::= ("a"{2000}){2000}
root ::= ("a"{0,40}){0,40}
root ::= ("a"{0,50}){0,40}
root ::= (a b c){500}\na ::= "a"\nb ::= "b"\nc ::= "c"
root ::= (a b c){501}\na ::= "a"\nb ::= "b"\nc ::= "c"
root ::= a b c (a b c){501}\na ::= "a"\nb ::= "b"\nc ::= "c"
root ::= ((("a"{0,99}){0,99}){0,99}){0,99}
root ::= "a"**
root ::= "a"?*
root ::= "a"*?
root ::= "a"+*
root ::= "a"??
root ::= "a"+?
root ::= ("a"?)*
root ::= ("a"*)*
root ::= ("a"?)+
root ::= ("a"|)*
root ::= (())*
root ::= ()
root ::= ()*
root ::= (|)
root ::= ""
root ::= ""*
root ::= "a" ""*
root ::= ""{0}
root ::= []
root ::= []*
root ::= [^]
root ::= [^]*
root ::= *
root ::= "a" | *
root ::= | "a"
root ::= "a" |
root ::=
root ::= |
root ::= \nb ::= "c"
root ::= .
root ::= ...
root ::= .*
root ::= [a-z]
root ::= [z-a]
root ::= [a-]
root ::= [-a]
root ::= [--a]
root ::= [a--]
root ::= [a-b-c]
root ::= [a-\]]
root ::= [\]-a]
root ::= [a\-z]
root ::= [\-z]
root ::= [^^]
root ::= [[]
root ::= ["]
root ::= [#]
root ::= [\[]
root ::= [a
root ::= [a-
root ::= [a-]x
root ::= [\x]
root ::= [\x4]
root ::= [\x41]
root ::= [\x4g]
root ::= "\n\t\r\\\"\[\]\-"
root ::= "\q"
root ::= "\'"
root ::= "\/"
root ::= "\b"
root ::= "\0"
root ::= "\x00"
root ::= "\x4"
root ::= "\u00e9"
root ::= "\u00e"
root ::= "\ud800"
root ::= "\U0001F600"
root ::= "\U0001F60"
root ::= "\UFFFFFFFF"
root ::= [\U00110000-\UFFFFFFFF]
root ::= "\"
root ::= "a\
root ::= "a
root ::= "
root ::= "a\nb"
root ::= 'a'
root ::= "#"
root ::= "é漢😀"
root ::= é
root ::= a_b\na_b ::= "c"
root ::= -a\n-a ::= "b"
root ::= 1\n1 ::= "b"
root ::= a.b\na ::= "x"\nb ::= "y"
root ::= <[10]>
root ::= !<[10]>
root ::= ! <[10]>
root ::= <[4294967295]>
root ::= <[4294967296]>
root ::= <[99999999999999999999999]>
root ::= <[0000000000000000000000000000000000010]>
root ::= <[]>
root ::= <[x]>
root ::= <[1]
root ::= <[1>
root ::= <[ 1]>
root ::= <|im_end|>
root ::= <[1]>*
root ::= <
root ::= !
root ::= !"a"
root = "a"
root :: = "a"
root : "a"
root
root ::= "a" "b
root ::= ("a"
root ::= "a")
root ::= ("a"))
root ::= (("a")
root ::= "a" ; "b"
root ::= "a", "b"
root ::= "a"}
root ::= "a"]
root ::= "a" root2 ::= "b"
x ::= "a"
root ::= x
root ::= x\ny ::= "a"
root ::= x | "b"
root ::= x\nroot ::= "a"
root ::= x\nroot ::= "a"\ny ::= "a"
root ::= (x)\nroot ::= "a"
y ::= "a"\nroot ::= x\nroot ::= "a"
root ::= "a"\nroot ::= root
root ::= root\nroot ::= "a"
root ::= (root)\nroot ::= "a"
root ::= "a"\nroot ::= "b"
root ::= root
root ::= root "a" | "a"
root ::= "a" root | "a"
root ::= "a"? root
root ::= "a"* root
root ::= ("a"?) root
root ::= ("a"?) root | "b"
root ::= "" root
root ::= [] root
root ::= () root
root ::= x root\nx ::= "a" |
root ::= x root\nx ::= "a"
root ::= "a"\nx ::= x "a"
root ::= "a"\nx ::= y "a"\ny ::= x "b"
root ::= "a"\nx ::= ("z"?) x "a"
root ::= root?
root ::= (root)*
root ::= "(" root ")" | "[" root* "]" |
root ::= x{2} y\nx ::= y | "a"\ny ::= x "b" | "c"
root ::= "a" | "b" # note
root ::= "a" | "b"# note
root ::= ( "a" | "b" )*
root ::= ("a" | "b" ) ("c"|"d")
root ::= ("a" | ""){2}
root ::= ("" | "a")*
root ::= "c" ("" | "a")*
root ::= x root | "b"\nx ::= "" | "a"
root ::= x "c" root | "b"\nx ::= "" | "a"
root ::= "a" | "b" "c"
root ::= "a" | "b"*
root ::= "a" | "b" |\n "c"
root ::= "a" | "b"\n  "c"
root ::= "a" | "b"\n | "c"
root ::= ("a" | "b"\n "c")
root ::= ("a" | "b"\n)
root ::= "a" | "b\n"
root ::= ("a" | "b\n c")
root ::= "a"|"b"\r\nb ::= "c"
root ::= ("a" | "b"
root ::= ("a" | "b"))
root ::= ("a" | "b" "c" | "d")
root ::= ("a" | "b" ::= "c")
root ::= (x ::= "a" | "b")
root ::= x ::= "a" | "b"
::= "a" | "b"
root ::= "a" | "b" ::= "a" | "b"
root ::= ("\"" | "\q")
root ::= ("a" | "\ud800")*
root ::= "a" | "\x41" | "\"b\\" | "\\"
root ::= ("a" | "\x4")
root ::= ("a" | b | "c")\nb ::= "d" | "e"
root\t::=\t"a"\t
root ::=\u00a0"a"
\ufeffroot ::= "a"
"""


def edges() -> list[str]:
    lines = [line for line in EDGES.split("\n") if line]
    escapes = {r"\n": "\n", r"\r": "\r", r"\t": "\t"}
    found = []
    for line in lines:
        for name, text in (("u0020", " "), ("u00a0", "\u00a0"), ("ufeff", "\ufeff")):
            line = line.replace(f"\\{name}", text)
        if '"\\n\\t' not in line and line != 'root ::= "a\\nb"':
            for name, text in escapes.items():
                line = line.replace(name, text)
        found.append(line)
    return found


BASES = [
    (GRAMMARS / "json.gbnf").read_text(encoding="utf-8"),
    (GRAMMARS / "generic.gbnf").read_text(encoding="utf-8"),
    *(text for text in edges() if "99" not in text and "20" not in text),
]
PIECES = [
    '"a"', "[b]", "[^c]", ".", "x", "root", "(", ")", "|", "*", "+", "?", "{2}",
    "{0,3}", "{1,}", "{", "}", "\n", "\r\n", " ", "\t", "# note", "::=", '"', "[",
    "]", "\\", "-", "^", "<[3]>", "!", ",", "7", "\\x41", "\\q", '""', "\nx ::= ",
    "\ny ::= ", "y", "é",
]  # fmt: skip


def damaged(rng: random.Random) -> str:
    """One of the texts with a few things cut out or put in."""
    text = rng.choice(BASES)
    for _ in range(rng.randint(1, 3)):
        at = rng.randint(0, len(text))
        cut = rng.choice([0, 0, 1, 1, 2, 5])
        put = rng.choice(["", *PIECES])
        text = text[:at] + put + text[at + cut :]
    return text
