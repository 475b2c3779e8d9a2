// The page's own files, which are part of the program: CMake makes page_files.cpp of them.
#pragma once

#include <string_view>

namespace glimpse {

/// Of app/view/web/page/ by its name, and Chart.js as "chart.js". Empty: there is none of that name.
[[nodiscard]] std::string_view page_file(std::string_view name);

/// By the end of the name: "text/html; charset=utf-8".
[[nodiscard]] const char* content_type(std::string_view name);

}  // namespace glimpse
