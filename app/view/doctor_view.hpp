// What a doctor's visit looks like: one line for each check.
#pragma once

#include <string>

#include "core/check.hpp"
#include "view/output.hpp"

namespace glimpse {

/// {"name": "clock", "state": "ok", "text": "…", "remedy": null}; state is ok, warn, fail or skip.
[[nodiscard]] std::string check_json(const Check& check);

/// "warn  blas             the reference BLAS …; sudo apt install …". `colour`: of the first word.
[[nodiscard]] std::string check_text(const Check& check, bool colour);

/// Prints each check when it is there; on a terminal also the name of the one in progress.
class DoctorView {
 public:
  DoctorView(Output& output, bool json);
  /// Takes away the name of what was in progress.
  ~DoctorView();
  DoctorView(const DoctorView&) = delete;
  DoctorView& operator=(const DoctorView&) = delete;
  void begins(const std::string& name);
  void found(const Check& check);
  /// "31 checks: 1 failed, 2 warnings"; nothing as JSON.
  void finish();

 private:
  Output& output_;
  const bool json_, terminal_, colour_;
  bool in_progress_ = false;  // its name is on the terminal's last line
  int checks_ = 0, failures_ = 0, warnings_ = 0;
};

}  // namespace glimpse
