# bash completion for glimpse(1). It asks the program itself for its commands, its flags and what they take, so it knows what the
# program knows.

declare -gA _glimpse_helps

# _glimpse_ask PROGRAM [COMMAND]: sets help to what --help says, which is kept until the program's file is another one.
_glimpse_ask() {
  local key
  key="$* $(stat -Lc %Y -- "$(type -P -- "$1")" 2>/dev/null)"
  [ -n "${_glimpse_helps[$key]:-}" ] || _glimpse_helps[$key]=$("$@" --help 2>/dev/null)
  help=${_glimpse_helps[$key]}
}

# _glimpse_offer WORD...: those that begin as what is typed. Not compgen -W, which would run what a folder's name says in $().
_glimpse_offer() {
  local word
  for word; do
    if [[ $word == "$current"* ]]; then COMPREPLY+=("$word"); fi
  done
}

_glimpse_offer_files() { # -f, or -d for folders alone
  local -a files
  mapfile -t files < <(compgen "$1" -- "$current")
  COMPREPLY+=("${files[@]}")
  compopt -o filenames 2>/dev/null
}

# Where the program looks for a model by its name: models/README.md.
_glimpse_offer_models() {
  local prefix model
  prefix=$(readlink -f -- "$(type -P -- "$1")") prefix=${prefix%/*/*}
  for model in {models,"$prefix/models",/usr/local/share/glimpse/models,"$prefix/share/glimpse/models"}/*/; do
    if [ -f "$model/float.pt" ] || [ -f "$model/int8.pt" ]; then model=${model%/} && _glimpse_offer "${model##*/}"; fi
  done
}

_glimpse() {
  local program=$1 current=$2 previous=$3 help commands flags word command= takes text
  COMPREPLY=()
  # readline takes --flag=value for three words
  if [ "$current" = = ]; then current=; fi
  if [ "$previous" = = ]; then previous=${COMP_WORDS[COMP_CWORD - 2]}; fi

  _glimpse_ask "$program"
  mapfile -t commands < <(sed -nE '/^subcommands:/I,$ s/^ +([a-z]+) .*/\1/p' <<<"$help")
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ " ${commands[*]} " == *" $word "* ]] && command=$word && break
  done
  if [ -n "$command" ]; then _glimpse_ask "$program" "$command"; fi

  if [[ $previous =~ ^--[a-z0-9-]+$ ]]; then
    read -r takes text < <(sed -nE "s/^ +$previous ([A-Z][A-Z|]*)( .*)?\$/\1 \2/p" <<<"$help")
  fi
  case $previous:$takes in
    --source:*) _glimpse_offer csi test && _glimpse_offer_files -f ;;
    --model:?*) _glimpse_offer_models "$program" && _glimpse_offer_files -d ;;
    *:FILE | *:CSV) _glimpse_offer_files -f ;;
    *:DIR) _glimpse_offer_files -d ;;
    *:?*) # "what it does: this, that or another (and why)"
      text=$(sed -E 's/ *\([^)]*\)//g; s/.*: //; s/ or /, /' <<<"$text")
      if [[ $text =~ ^[a-z0-9]+(, [a-z0-9]+)+$ ]]; then
        IFS=', ' read -ra flags <<<"$text" && _glimpse_offer "${flags[@]}"
      fi
      ;;
    *)
      mapfile -t flags < <(sed -nE 's/^ +(-[a-z], *)?(--[a-z0-9-]+).*/\2/p' <<<"$help")
      if [ -z "$command" ]; then _glimpse_offer "${commands[@]}"; fi
      _glimpse_offer "${flags[@]}"
      ;;
  esac
}
complete -F _glimpse glimpse
