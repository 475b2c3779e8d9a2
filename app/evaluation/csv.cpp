#include "evaluation/csv.hpp"

#include "core/error.hpp"

namespace glimpse {
namespace {

class Reader {
 public:
  Reader(std::string_view text, const std::string& origin) : text_(text), origin_(origin) {
    static constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text_.starts_with(byte_order_mark)) text_.remove_prefix(byte_order_mark.size());
  }

  std::vector<CsvRow> rows() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      if (take_line_end()) continue;
      CsvRow row{line_, {}};
      do row.fields.push_back(text_.substr(at_, 1) == "\"" ? quoted() : plain());
      while (take(","));
      rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  bool take(std::string_view what) {
    if (text_.substr(at_, what.size()) != what) return false;
    at_ += what.size();
    return true;
  }

  bool take_line_end() {
    if (!take("\r\n") && !take("\n")) return false;
    ++line_;
    return true;
  }

  [[nodiscard]] bool at_end_of_field() const {
    const std::string_view rest = text_.substr(at_);
    return rest.empty() || rest.starts_with(",") || rest.starts_with("\n") || rest.starts_with("\r\n");
  }

  std::string plain() {
    const std::size_t begin = at_;
    while (!at_end_of_field()) ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string quoted() {
    const std::size_t first_line = line_;
    std::string field;
    for (++at_; at_ < text_.size(); ++at_) {
      if (take("\"\"")) {
        field += '"';
        --at_;
      } else if (take("\"")) {
        if (!at_end_of_field()) bad(first_line, "a quoted field goes on after its closing quote");
        return field;
      } else {
        if (text_[at_] == '\n') ++line_;
        field += text_[at_];
      }
    }
    bad(first_line, "a quoted field has no closing quote");
  }

  [[noreturn]] void bad(std::size_t line, const std::string& what) const {
    throw Error(ExitCode::bad_data, origin_ + ":" + std::to_string(line) + ": " + what);
  }

  std::string_view text_;
  const std::string& origin_;
  std::size_t at_ = 0, line_ = 1;
};

}  // namespace

std::vector<CsvRow> parse_csv(std::string_view text, const std::string& origin) {
  return Reader(text, origin).rows();
}

}  // namespace glimpse
