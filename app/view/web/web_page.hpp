// The live page and the interface behind it, docs/web.md: an HTTP server in threads of its own.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "view/web/access.hpp"
#include "view/web/listener.hpp"
#include "view/web/web_sources.hpp"

namespace glimpse {

class WebPage {
 public:
  /// Answers from here on. `change_patience`: how long the answer to a PATCH waits for the change.
  WebPage(Listener listener, AccessRules rules, WebSources sources,
          std::chrono::milliseconds change_patience = std::chrono::seconds(30));
  /// Cuts every connection, and waits for the threads: for the time of one picture's encoding.
  ~WebPage();
  WebPage(const WebPage&) = delete;
  WebPage& operator=(const WebPage&) = delete;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace glimpse
