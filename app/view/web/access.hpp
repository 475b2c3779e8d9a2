// Who may have what the page and its interface give. docs/web.md tells the rules.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace glimpse {

enum class Reach {
  loopback,  // this machine alone
  token,     // whoever has the token
  open,      // the whole network
};

struct AccessRules {
  Reach reach = Reach::loopback;
  std::string token;               // with Reach::token
  std::string cookie;              // its name
  std::vector<std::string> names;  // that this machine is called by, without Reach::token
};

/// Of a request, "" where absent.
struct Asking {
  std::string path;
  std::string host, origin, authorization, cookies;  // headers
  std::string token;                                 // of the query, of a GET alone
};

enum class Verdict { granted, foreign_host, foreign_origin, no_token };

[[nodiscard]] Verdict judge(const AccessRules& rules, const Asking& asking);

/// Takes as long whatever they have in common, but for their lengths. An empty one is none.
[[nodiscard]] bool same_secret(std::string_view a, std::string_view b);

/// The token in `file`, made where there is none: 64 hexadecimal digits, for its owner alone.
/// Throws Error(credentials) where it cannot be made or read, or is not safe.
[[nodiscard]] std::string load_token(const std::string& file);

}  // namespace glimpse
