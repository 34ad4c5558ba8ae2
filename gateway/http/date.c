/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/date.h"

#define DAY_S      86400
#define YEAR_MIN_S (-62135596800) /* 0001-01-01T00:00:00Z */
#define YEAR_MAX_S 253402300799   /* 9999-12-31T23:59:59Z */

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
/* 1970-01-01 was a Thursday. */
static const char week[] = "ThuFriSatSunMonTueWed";
static const struct gw_str long_days[] = {{"Monday", 6},   {"Tuesday", 7}, {"Wednesday", 9},
                                          {"Thursday", 8}, {"Friday", 6},  {"Saturday", 8},
                                          {"Sunday", 6}};

struct civil {
    int64_t year;
    unsigned month, day; /* from 1 */
    unsigned hour, minute, second;
};

/* The calendar is counted in years that begin in March, so that the leap day is the last of its
 * year; 400 of them are an era of 146097 days (proleptic Gregorian). */
static int64_t days_of(int64_t year, unsigned month, unsigned day)
{
    int64_t march_year = month > 2 ? year : year - 1;
    int64_t era = (march_year >= 0 ? march_year : march_year - 399) / 400;
    int64_t year_of_era = march_year - era * 400;
    int64_t day_of_year = (153 * (int64_t)((month + 9) % 12) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468; /* days from 0000-03-01 to the epoch */
}

/* The inverse: 1460, 36524 and 146096 are the days of 4, 100 and 400 years without the last leap
 * day, which belongs to the year it ends. */
static struct civil civil_of(int64_t s)
{
    int64_t second = s % DAY_S;
    if (second < 0)
        second += DAY_S;
    int64_t days = (s - second) / DAY_S + 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t month = (5 * day_of_year + 2) / 153; /* from March */
    unsigned civil_month = (unsigned)(month < 10 ? month + 3 : month - 9);
    return (struct civil){.year = year_of_era + era * 400 + (civil_month <= 2),
                          .month = civil_month,
                          .day = (unsigned)(day_of_year - (153 * month + 2) / 5 + 1),
                          .hour = (unsigned)(second / 3600),
                          .minute = (unsigned)(second / 60 % 60),
                          .second = (unsigned)(second % 60)};
}

/* --- reading: each takes its piece off the front --- */

/* In any case: the grammar is case-sensitive, but who reads a date for a cache should not be (RFC
 * 9111 section 4.2). */
static bool take(struct gw_str *s, struct gw_str literal)
{
    if (!gw_str_ieq(gw_str_first(*s, literal.len), literal))
        return false;
    *s = gw_str_from(*s, literal.len);
    return true;
}

static bool take_number(struct gw_str *s, size_t digits, unsigned max, unsigned *out)
{
    uint64_t value;
    if (s->len < digits || !gw_str_u64(gw_str_first(*s, digits), max, &value))
        return false;
    *out = (unsigned)value;
    *s = gw_str_from(*s, digits);
    return true;
}

/* A name of three letters out of a row of them; its place from 0. */
static bool take_name(struct gw_str *s, const char *row, unsigned *out)
{
    for (unsigned i = 0; row[3 * i]; i++)
        if (take(s, gw_str(row + 3 * i, 3))) {
            *out = i;
            return true;
        }
    return false;
}

static bool take_month(struct gw_str *s, struct civil *c)
{
    if (!take_name(s, months, &c->month))
        return false;
    c->month++;
    return true;
}

/* A leap second (60) is valid: RFC 9110 section 5.6.7 takes it from RFC 5322. */
static bool take_time(struct gw_str *s, struct civil *c)
{
    return take_number(s, 2, 23, &c->hour) && take(s, GW_STR(":")) &&
           take_number(s, 2, 59, &c->minute) && take(s, GW_STR(":")) &&
           take_number(s, 2, 60, &c->second);
}

static bool take_year(struct gw_str *s, struct civil *c)
{
    unsigned year;
    if (!take_number(s, 4, 9999, &year))
        return false;
    c->year = year;
    return true;
}

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool parse_fixdate(struct gw_str s, struct civil *c)
{
    unsigned ignored;
    return take_name(&s, week, &ignored) && take(&s, GW_STR(", ")) &&
           take_number(&s, 2, 31, &c->day) && take(&s, GW_STR(" ")) && take_month(&s, c) &&
           take(&s, GW_STR(" ")) && take_year(&s, c) && take(&s, GW_STR(" ")) && take_time(&s, c) &&
           gw_str_ieq(s, GW_STR(" GMT"));
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static bool parse_rfc850(struct gw_str s, int64_t now_s, struct civil *c)
{
    size_t comma = gw_str_chr(s, ',');
    bool named = false;
    for (size_t i = 0; i < GW_COUNT(long_days); i++)
        named |= comma != GW_NPOS && gw_str_ieq(gw_str_first(s, comma), long_days[i]);
    if (!named)
        return false;
    s = gw_str_from(s, comma);
    unsigned year;
    if (!take(&s, GW_STR(", ")) || !take_number(&s, 2, 31, &c->day) || !take(&s, GW_STR("-")) ||
        !take_month(&s, c) || !take(&s, GW_STR("-")) || !take_number(&s, 2, 99, &year) ||
        !take(&s, GW_STR(" ")) || !take_time(&s, c) || !gw_str_ieq(s, GW_STR(" GMT")))
        return false;
    /* RFC 9110 section 5.6.7: a year that seems more than 50 years ahead is the latest past one
     * with these digits. A fixed pivot would be wrong one day. */
    int64_t now_year = civil_of(now_s).year;
    c->year = now_year - now_year % 100 + 100 + year;
    while (c->year > now_year + 50)
        c->year -= 100;
    return true;
}

/* Sun Nov  6 08:49:37 1994 */
static bool parse_asctime(struct gw_str s, struct civil *c)
{
    unsigned ignored;
    if (!take_name(&s, week, &ignored) || !take(&s, GW_STR(" ")) || !take_month(&s, c) ||
        !take(&s, GW_STR(" ")))
        return false;
    size_t digits = take(&s, GW_STR(" ")) ? 1 : 2;
    return take_number(&s, digits, 31, &c->day) && take(&s, GW_STR(" ")) && take_time(&s, c) &&
           take(&s, GW_STR(" ")) && take_year(&s, c) && s.len == 0;
}

bool date_parse(struct gw_str text, int64_t now_s, int64_t *out_s)
{
    struct civil c = {0};
    /* A form that fails may leave half a date in c; the one that fits writes every part of it anew.
     */
    if (!parse_fixdate(text, &c) && !parse_rfc850(text, now_s, &c) && !parse_asctime(text, &c))
        return false;
    if (c.year < 1 || c.day < 1)
        return false;
    int64_t days = days_of(c.year, c.month, c.day);
    if (civil_of(days * DAY_S).day != c.day) /* 31 April comes back as 1 May */
        return false;
    *out_s = days * DAY_S + c.hour * 3600 + c.minute * 60 + c.second;
    return true;
}

/* --- writing --- */

static void put_number(char *out, unsigned digits, uint64_t value)
{
    while (digits--) {
        out[digits] = (char)('0' + value % 10);
        value /= 10;
    }
}

static void put_time(char *out, const struct civil *c)
{
    put_number(out, 2, c->hour);
    out[2] = ':';
    put_number(out + 3, 2, c->minute);
    out[5] = ':';
    put_number(out + 6, 2, c->second);
}

static int64_t clamp(int64_t value, int64_t min, int64_t max)
{
    return value < min ? min : value > max ? max : value;
}

void date_format(int64_t s, char *out)
{
    s = clamp(s, YEAR_MIN_S, YEAR_MAX_S);
    struct civil c = civil_of(s);
    int64_t weekday = (days_of(c.year, c.month, c.day) % 7 + 7) % 7;
    memcpy(out, "Day, DD Mon YYYY hh:mm:ss GMT", DATE_HTTP_LEN);
    memcpy(out, week + 3 * weekday, 3);
    put_number(out + 5, 2, c.day);
    memcpy(out + 8, months + 3 * (c.month - 1), 3);
    put_number(out + 12, 4, (uint64_t)c.year);
    put_time(out + 17, &c);
}

void date_format_iso(int64_t ms, char *out)
{
    ms = clamp(ms, YEAR_MIN_S * 1000, YEAR_MAX_S * 1000 + 999);
    int64_t part = (ms % 1000 + 1000) % 1000;
    struct civil c = civil_of((ms - part) / 1000);
    memcpy(out, "YYYY-MM-DDThh:mm:ss.mmmZ", DATE_ISO_LEN);
    put_number(out, 4, (uint64_t)c.year);
    put_number(out + 5, 2, c.month);
    put_number(out + 8, 2, c.day);
    put_time(out + 11, &c);
    put_number(out + 20, 3, (uint64_t)part);
}
