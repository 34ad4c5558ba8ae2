/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/deception.h"

#include "gateway/http/url.h"

/* The text and application types that an extension may have. Images, sound, video and fonts have
 * none but the few listed: any page under such a name is a mismatch. */
static const struct {
    const char *extension, *types;
} known[] = {
    {"7z", "application/x-7z-compressed"},
    {"apk", "application/vnd.android.package-archive"},
    {"avif", ""},
    {"avi", ""},
    {"bmp", ""},
    {"bz2", "application/x-bzip2 application/x-bzip"},
    {"class", "application/java-vm application/java"},
    {"css", "text/css"},
    {"csv", "text/csv text/plain application/csv"},
    {"dmg", "application/x-apple-diskimage"},
    {"doc", "application/msword"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"eot", "application/vnd.ms-fontobject"},
    {"eps", "application/postscript"},
    {"exe", "application/x-msdownload application/x-msdos-program application/x-dosexec"},
    {"flac", ""},
    {"gif", ""},
    {"gz", "application/gzip application/x-gzip"},
    {"htm", "text/html application/xhtml+xml"},
    {"html", "text/html application/xhtml+xml"},
    {"ico", ""},
    {"iso", "application/x-iso9660-image"},
    {"jar", "application/java-archive"},
    {"jpeg", ""},
    {"jpg", ""},
    {"js", "text/javascript application/javascript application/x-javascript"},
    {"json", "application/json text/json"},
    {"mid", ""},
    {"midi", ""},
    {"mkv", ""},
    {"mp3", ""},
    {"mp4", "application/mp4"},
    {"ogg", "application/ogg"},
    {"otf", "application/vnd.ms-opentype application/x-font-opentype application/font-sfnt"},
    {"pdf", "application/pdf"},
    {"png", ""},
    {"ppt", "application/vnd.ms-powerpoint"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"ps", "application/postscript"},
    {"rar", "application/vnd.rar application/x-rar-compressed"},
    {"svg", "text/xml application/xml"},
    {"svgz", "text/xml application/xml"},
    {"swf", "application/x-shockwave-flash application/vnd.adobe.flash.movie"},
    {"tar", "application/x-tar"},
    {"tif", ""},
    {"tiff", ""},
    {"ttf", "application/x-font-ttf application/x-font-truetype application/font-sfnt"},
    {"txt", "text/plain"},
    {"webm", ""},
    {"webp", ""},
    {"woff", "application/font-woff application/x-font-woff"},
    {"woff2", "application/font-woff2"},
    {"xls", "application/vnd.ms-excel"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"xml", "text/xml application/xml application/rss+xml application/atom+xml"},
    {"zip", "application/zip application/x-zip-compressed"},
    {"zst", "application/zstd"},
};

static bool starts_folded(struct gw_str text, struct gw_str prefix)
{
    return text.len >= prefix.len && gw_str_ieq(gw_str_first(text, prefix.len), prefix);
}

static bool listed(struct gw_str types, struct gw_str type)
{
    struct gw_str item;
    while (gw_str_next(&types, ' ', &item))
        if (gw_str_ieq(item, type))
            return true;
    return false;
}

bool cache_looks_deceptive(struct gw_str path, struct gw_str content_type)
{
    struct gw_str type = gw_str_trim(gw_str_first(content_type, gw_str_chr(content_type, ';')));
    if (!starts_folded(type, GW_STR("text/")) && !starts_folded(type, GW_STR("application/")))
        return false;
    if (gw_str_ieq(type, GW_STR("application/octet-stream")))
        return false;
    struct gw_str extension = url_path_extension(path);
    for (size_t i = 0; i < GW_COUNT(known); i++)
        if (gw_str_ieq(extension, gw_str_z(known[i].extension)))
            return !listed(gw_str_z(known[i].types), type);
    return false;
}
