/* SPDX-License-Identifier: Apache-2.0 */
#include "config/rules/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void matches(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool match;
    } cases[] = {
        {"", "", true},
        {"abc", "xxabcxx", true},
        {"^abc", "xabc", false},
        {"abc$", "abc\n", false},
        {"(?m)^b$", "a\nb\nc", true},
        {"(?m)^$", "a\n", true},
        {"a.c", "a\nc", false},
        {"(?s)a.c", "a\nc", true},
        {"a.c",
         "a\xff"
         "c",
         true},
        {"(?i)stra", "STRA", true},
        {"(?i:a)b", "AB", false},
        {"a(?i)b|c", "C", true},
        {"(?x) a b # comment\n c", "abc", true},
        {"(?x) a b # a comment that the pattern ends in", "ab", true},
        {"(?x) a#", "a", true},
        {"(?x)[a b]c", " c", false},
        {"a++b", "aaab", true},
        {"a**", "", true},
        {"[a-c&&[^b]]+$", "xac", true},
        {"^[a-c&&[^b]]+$", "abc", false},
        {"^[a-z--[aeiou]]+$", "xyz", true},
        {"^[a-z--[aeiou]]+$", "xya", false},
        {"^[a-c~~b-d]+$", "ad", true},
        {"^[a-c~~b-d]+$", "b", false},
        {"^[[:alpha:][:digit:]_]+$", "a1_", true},
        {"^[[:^alpha:]]$", "1", true},
        {"^[]a]+$", "]a", true},
        {"^[a-]+$", "-a", true},
        {"^[--a]$", "-", true}, /* what stands first begins neither a range … */
        {"^[--a]$", "A", false},
        {"^[^--a]$", "A", true},
        {"^[]-a]+$", "]-a", true},
        {"^[]-a]$", "^", false},
        {"^[-]+$", "--", true},
        {"(?x)^[ - - a ]$", "B", false},
        {"[&&a]", "&", false}, /* … nor hides an operator */
        {"[&&a]", "a", false},
        {"^[^&&a]$", "a", true},
        {"^[~~a]$", "a", true},
        {"^[\\d\\-x]+$", "1-x", true},
        {"\\x41\\x{42}\\u0043\\U00000044", "ABCD", true},
        {"\\xff", "\xff", true},
        {"\xc3\xbc+$", "\xc3\xbc\xc3\xbc", true},
        {"\xc3\xbc+$", "\xc3\xbc\xbc", false},
        {"\\bfoo\\b", "a foo b", true},
        {"\\bfoo\\b", "afoo b", false},
        {"\\Boo", "foo", true},
        {"\\<foo\\>", "x foo", true},
        {"\\b{start}foo\\b{end}", "foobar", false},
        {"\\w+\\s\\W\\D\\S", "ab -x1", true},
        {"(?P<n>a)(?<m>b)", "ab", true},
        {"^(?:a|b){2,3}$", "abab", false},
        {"^a{2}$", "aa", true},
        {"^a{2,}$", "aaaaa", true},
        {"x{0}y", "y", true},
        {"a|", "", true},
        {"()", "", true},
        {"]}", "]}", true},
        {"\\v\\f\\t\\a", "\v\f\t\a", true},
        {"\\/\\-\\_\\\"", "/-_\"", true},
        {"[^\\x00-\\x7f]", "\x80", true},
        {"[a&&b]", "a", false},
        {"^[ab]*a[ab]{14}$", "abbbbbbbbbbbbbb", true}, /* too large for a table: PCRE2 */
        {"[ab]*a[ab]{14}c", "babbbbbbbbbbbbbbc", true},
        {"[ab]*a[ab]{14}c", "bbbbbbbbbbbbbbbbc", false},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        char reason[512];
        struct regex *re = regex_compile(gw_str_z(cases[i].pattern), reason, sizeof(reason));
        if (!re)
            fail_msg("%s: %s", cases[i].pattern, reason);
        if (regex_match(re, gw_str_z(cases[i].text)) != cases[i].match)
            fail_msg("%s on \"%s\"", cases[i].pattern, cases[i].text);
        regex_free(re);
    }
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *reason;
    } cases[] = {
        {"(", "unclosed group"},
        {")", "unopened group"},
        {"*a", "repetition operator missing expression"},
        {"a|*", "repetition operator missing expression"},
        {"(*ACCEPT)", "repetition operator missing expression"},
        {"(?)", "repetition operator missing expression"},
        {"a{", "repetition quantifier expects a valid decimal"},
        {"a{1", "unclosed counted repetition"},
        {"a{2,1}", "invalid repetition count range, the start must be <= the end"},
        {"[a", "unclosed character class"},
        {"[z-a]", "invalid character class range, the start must be <= the end"},
        {"[a-\\d]", "invalid range boundary, must be a literal"},
        {"[\\b]", "invalid escape sequence found in character class"},
        {"[\xc3\xbc]", "Unicode not allowed here"},
        {"\\p{Greek}", "Unicode not allowed here"},
        {"\\u00fc", "Unicode not allowed here"},
        {"(?u)a", "Unicode not allowed here"},
        {"(?=a)", "look-around, including look-ahead and look-behind, is not supported"},
        {"(?<!a)", "look-around, including look-ahead and look-behind, is not supported"},
        {"(a)\\1", "backreferences are not supported"},
        {"(?>a)", "unrecognized flag"},
        {"(?R)", "unrecognized flag"},
        {"(?#c)", "unrecognized flag"},
        {"(?P=n)", "unrecognized flag"},
        {"(?<1>a)", "invalid capture group character"},
        {"a\\", "incomplete escape sequence, reached end of pattern prematurely"},
        {"a\\Z", "unrecognized escape sequence"},
        {"a\\G", "unrecognized escape sequence"},
        {"a\\K", "unrecognized escape sequence"},
        {"a\\R", "unrecognized escape sequence"},
        {"a\\X", "unrecognized escape sequence"},
        {"a\\h", "unrecognized escape sequence"},
        {"a\\N", "unrecognized escape sequence"},
        {"\\Qa\\E", "unrecognized escape sequence"},
        {"\\C", "unrecognized escape sequence"},
        {"\\x{}", "invalid hexadecimal digit"},
        {"(?i-)a", "dangling flag negation operator"},
    };
    for (size_t i = 0; i < GW_COUNT(cases); i++) {
        char reason[512];
        struct regex *re = regex_compile(gw_str_z(cases[i].pattern), reason, sizeof(reason));
        if (re)
            fail_msg("%s is accepted", cases[i].pattern);
        const char *last = strstr(reason, "error: ");
        assert_non_null(strstr(reason, "regex parse error:"));
        if (!last || strcmp(last + strlen("error: "), cases[i].reason) != 0)
            fail_msg("%s: %s", cases[i].pattern, reason);
    }
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    char reason[512], deep[500];
    static const char *const large[] = {"(((a{1000}){1000}){1000})", "(){60000}{60000}{60000}x"};
    for (size_t i = 0; i < GW_COUNT(large); i++) {
        struct regex *re = regex_compile(gw_str_z(large[i]), reason, sizeof(reason));
        regex_free(re);
    }
    memset(deep, '(', sizeof(deep));
    assert_null(regex_compile(gw_str(deep, sizeof(deep)), reason, sizeof(reason)));
    memset(deep, '[', sizeof(deep));
    assert_null(regex_compile(gw_str(deep, sizeof(deep)), reason, sizeof(reason)));
    memset(deep, '*', sizeof(deep));
    deep[0] = 'a';
    assert_null(regex_compile(gw_str(deep, sizeof(deep)), reason, sizeof(reason)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches),
        cmocka_unit_test(refusals),
        cmocka_unit_test(sizes_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
