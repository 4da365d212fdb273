"""What is not in the language is refused before it runs, with a place and, where one is, a way."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.expressions import Expression, ExpressionRefused, compile_expression
from engine.expressions.builtins import IMPLEMENTATIONS
from engine.expressions.catalogue import FUNCTIONS

REFUSED = [
    "",
    "   ",
    "$eval('1')",
    "$now()",
    "$millis()",
    "$random()",
    "$shuffle([1,2])",
    "$map([1], function($x){$x})",
    "$filter([1], function($x){true})",
    "$reduce([1,2], function($a,$b){$a})",
    "$sift({}, function($v){true})",
    "$each({}, function($v){true})",
    "$single([1])",
    "$sort([2,1])",
    "$error('x')",
    "$assert(true)",
    "$clone({})",
    "$length('x')",
    "$formatNumber(1, '0')",
    "$base64encode('x')",
    "function($x){$x}",
    "(function($x){$x})(1)",
    "λ($x){$x}",
    "($f := function($x){$x}; $f(1))",
    "($f := $sum; $f([1]))",
    "($sum := 1; $sum)",
    "($ := 1)",
    "$sum",
    "$$sum([1])",
    "$x",
    "$payload.a",
    "payload.handler(1)",
    "(payload.f)(1)",
    "payload.f[0](1)",
    '"sum"([1])',
    "$substring(?, 1)",
    "$sum(?)",
    "payload ~> $sum",
    "payload ~> |a|{}|",
    "|payload|{'a': 1}|",
    "payload@$p.a",
    "payload#$i.a",
    "payload.%",
    "payload.a.%.b",
    "[1..1001]",
    "[1..9999999]",
    "[1..payload.n]",
    "[payload.n..3]",
    "[1.5..3]",
    "[-1000..1000]",
    "/a/",
    "$contains('a', /a/)",
    "$split('a', /a/)",
    "$match('a', 'a')",
    "$match('a', payload.pattern)",
    "$match(/a/, /a/)",
    "$replace('a', 'a', /a/)",
    "$replace('a', /(?=a)/, 'b')",
    "$replace('a', /(a)\\1/, 'b')",
    "$match('a', /(a/)",
    "$sum()",
    "$sum(1, 2)",
    "len()",
    "len(1, 2)",
    "nowIso(1)",
    "coalesce()",
    "append([1])",
    "$toMillis('x', '[Y]')",
    "sum([1])",
    "count([1])",
    "uppercase('a')",
    "1 +",
    "(1",
    "[1",
    "{1",
    "{'a'}",
    "'open",
    '"open',
    "`open",
    "/open",
    "/* open",
    "a b",
    "a = = b",
    "a === b",
    "!a",
    "a ! b",
    "a ~ b",
    ")",
    "'\\x'",
    "'\\u12'",
    "'\\ud800'",
    "1e999",
    "payload.1",
    "payload.true",
    "'\ud800'",
]


@pytest.mark.parametrize("source", REFUSED, ids=ascii)
def test_it_is_refused(source: str) -> None:
    with pytest.raises(ExpressionRefused) as refused:
        compile_expression(source)
    assert refused.value.message
    assert 0 <= refused.value.position <= len(source)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("$leng('x')", "len"),
        ("$sun([1])", "$sum(numbers)"),
        ("sum([1])", "$sum(numbers)"),
        ("toSting(1)", "toString(value)"),
        ("$now()", "nowIso()"),
        ("$map(payload, 1)", "list.(expression)"),
        ("$payload.a", "Write payload"),
    ],
)
def test_the_refusal_says_what_was_meant(source: str, words: str) -> None:
    with pytest.raises(ExpressionRefused) as refused:
        compile_expression(source)
    assert words in str(refused.value.suggestion)


def test_a_source_over_8_kib_is_refused_by_its_bytes() -> None:
    fits = f"'{'a' * (8 * 1024 - 2)}'"
    compile_expression(fits)
    with pytest.raises(ExpressionRefused, match="8 KiB"):
        compile_expression(fits + " ")
    with pytest.raises(ExpressionRefused, match="8 KiB"):
        compile_expression(f"'{'é' * 5000}'")


@pytest.mark.parametrize(
    "source",
    [
        "(" * 4000 + "1" + ")" * 4000,
        "[" * 4000,
        "-" * 8000 + "1",
        "a" + ".a" * 4000,
        "a" + "??a" * 2000,
        "a" + "?:a" * 2000,
        "1" + "+1" * 4000,
        "a" + "?a:a" * 2000,
        "{'a':" * 1000,
        "a" + "[0]" * 2500,
        "%" + ".%" * 4000,
        "a^(" * 2000,
        "a" + "{b:" * 2000,
        "/" + "\\" * 8000,
        "'" + "\\n" * 4000 + "'" + "&a" * 90,
        "$sum(" * 1500,
    ],
    ids=lambda source: source[:6],
)
def test_a_hostile_source_is_dealt_with_in_a_moment(source: str) -> None:
    begun = time.process_time()
    with contextlib.suppress(ExpressionRefused):
        compile_expression(source)
    assert time.process_time() - begun < 2


def is_compiled_or_refused(source: str) -> bool:
    try:
        return isinstance(compile_expression(source), Expression)
    except ExpressionRefused as refused:
        return bool(refused.message)


@given(st.text(max_size=60))
def test_any_text_is_compiled_or_refused(source: str) -> None:
    assert is_compiled_or_refused(source)


TOKENS = """
    payload a b . [ ] ( ) { } $ $$ $sum( len( , : = == != < + - * ** / % & and or in ? ?? ?:
    1 0 2.5 'x' "y" null true ^( > .. := ; ~> | @$i #$i /x/ `n` function($x){ $x \\
"""


@given(st.lists(st.sampled_from([*TOKENS.split(), " "]), max_size=14).map("".join))
def test_any_jumble_of_the_language_is_compiled_or_refused(source: str) -> None:
    assert is_compiled_or_refused(source)


@pytest.mark.parametrize(
    ("source", "roots"),
    [
        ("1", set()),
        ("payload.a", {"payload"}),
        ("item.price * vars.rate", {"item", "vars"}),
        ("payload.items[p = item].n", {"payload"}),
        ("payload.items[p = $$.item].n", {"payload", "item"}),
        ("$.payload.a", {"payload"}),
        ("$$.payload", {"payload"}),
        ("payload.items.(p & name)", {"payload"}),
        ("payload.items{n: p}", {"payload"}),
        ("payload.items^(p)", {"payload"}),
        ("{'a': x, y: z}", {"x", "y", "z"}),
        ("[a, b[c]]", {"a", "b"}),
        ("a ? b : c", {"a", "b", "c"}),
        ("a ?? b", {"a", "b"}),
        ("(a; $x := b; $x.c)", {"a", "b"}),
        ("len(a) + $count(b)", {"a", "b"}),
        ('"payload".a', {"payload"}),
        ("`payload`.a", {"payload"}),
        ("(a).b", {"a"}),
        ("[a].b", {"a"}),
        ("nowIso()", set()),
        ("$", None),
        ("$$", None),
        ("*", None),
        ("**.x", None),
        ("$[payload]", None),
        ("$.*", None),
        ("$keys($)", None),
        ("$keys()", None),
        ("payload[$$ = 1]", None),
        ("($x := $; $x.a)", None),
        ("$lookup($$, 'a')", None),
    ],
)
def test_the_names_that_it_may_read_are_known(source: str, roots: set[str] | None) -> None:
    found = compile_expression(source).roots
    assert found == (None if roots is None else frozenset(roots))


def test_every_function_of_the_catalogue_can_be_called() -> None:
    assert set(IMPLEMENTATIONS) == set(FUNCTIONS)
    for name, function in FUNCTIONS.items():
        arguments = ["'x'", "/x/" if name == "match" else "1", "1"][: function.least]
        compile_expression(f"${name}({', '.join(arguments)})")
        assert function.summary.endswith(".")
        assert function.signature.startswith(name if function.original else f"${name}")
