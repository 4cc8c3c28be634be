# The conformance driver for Tcl: reads command lines, calls the package, prints what came of it. The line protocol is
# in ../README.md. It knows no expectation: those are in the cases.
#
# With the word --loop every verb runs in a coroutine, and the event loop moves what waits.

package require polynats

set looping [expr {"--loop" in $argv}]
set last_text ""
set last_about ""

proc die {what about} {
    puts stderr "driver: $what: $about"
    exit 2
}

# ---- tokens ----

# The bytes of a token.
proc decode {token} {
    if {$token eq "\"\""} {
        return ""
    }
    if {[string first % $token] < 0} {
        return $token
    }
    return [subst -nocommands -novariables [string map {\\ \\\\ % \\x} $token]]
}

# Is it one character of UTF-8? (Tcl's own decoder lets more through.)
proc is_utf8 {bytes} {
    return [regexp -expanded {^(?:[\x00-\x7f] | [\xc2-\xdf][\x80-\xbf]
        | \xe0[\xa0-\xbf][\x80-\xbf] | [\xe1-\xec\xee\xef][\x80-\xbf]{2}
        | \xed[\x80-\x9f][\x80-\xbf] | \xf0[\x90-\xbf][\x80-\xbf]{2} | [\xf1-\xf3][\x80-\xbf]{3}
        | \xf4[\x80-\x8f][\x80-\xbf]{2})+$} $bytes]
}

# Bytes as the text that the package takes and gives: what is not UTF-8 is a lone surrogate U+DC80 to U+DCFF.
proc text_of {bytes} {
    if {[string is ascii $bytes]} {
        return $bytes
    }
    if {[is_utf8 $bytes]} {
        return [encoding convertfrom utf-8 $bytes]
    }
    set text ""
    for {set at 0} {$at < [string length $bytes]} {incr at} {
        for {set size 4} {$size > 0} {incr size -1} {
            set piece [string range $bytes $at [expr {$at + $size - 1}]]
            if {[string length $piece] == $size && [is_utf8 $piece]} {
                append text [encoding convertfrom utf-8 $piece]
                incr at [expr {$size - 1}]
                break
            }
        }
        if {$size == 0} {
            append text [format %c [expr {0xDC00 + [scan [string index $bytes $at] %c]}]]
        }
    }
    return $text
}

proc encode {bytes} {
    if {$bytes eq ""} {
        return "\"\""
    }
    if {$bytes eq "-"} {
        return %2d
    }
    if {[regexp {^[-!#$&'()*+./0-9:;<>?@A-Z\[\\\]^_`a-z{|}~]+$} $bytes]} {
        return $bytes
    }
    return [string map $::to_hex $bytes]
}

for {set code 0} {$code < 256} {incr code} {
    set character [format %c $code]
    if {![regexp {[-!#$&'()*+./0-9:;<>?@A-Z\[\\\]^_`a-z{|}~]} $character]} {
        lappend to_hex $character [format %%%02x $code]
    }
}

# A text's bytes, lone surrogates as the bytes they stand for.
proc encode_text {text} {
    if {[string is ascii $text]} {
        return [encode $text]
    }
    set bytes ""
    foreach character [split $text ""] {
        scan $character %c code
        if {$code >= 0xDC80 && $code <= 0xDCFF} {
            append bytes [format %c [expr {$code - 0xDC00}]]
        } else {
            append bytes [encoding convertto utf-8 $character]
        }
    }
    return [encode $bytes]
}

proc word {index} {
    if {$index + 1 >= [llength $::words]} {
        die "too few words" [lindex $::words 0]
    }
    return [lindex $::words [expr {$index + 1}]]
}

proc bytes {index} { return [decode [word $index]] }
proc text {index} { return [text_of [decode [word $index]]] }

proc handle {index} {
    if {![::info exists ::handles([word $index])]} {
        die "no such handle" [word $index]
    }
    return $::handles([word $index])
}

proc option {key {absent ""}} {
    if {[dict exists $::options $key]} {
        return [dict get $::options $key]
    }
    return $absent
}

# A time of the protocol, in ms, as an option of the package: nothing for its default.
proc seconds {key option} {
    set ms [option $key]
    if {$ms eq "" || $ms < 0} {
        return {}
    }
    return [list $option [expr {$ms / 1000.0}]]
}

# The same for verbs that would wait for ever.
proc wait_seconds {option} {
    set given [seconds wait_ms $option]
    return [expr {[llength $given] ? $given : [list $option 0]}]
}

# An option of the package from one of the case: nothing when it is not there.
proc pass {key option} {
    if {![dict exists $::options $key]} {
        return {}
    }
    return [list $option [text_of [decode [dict get $::options $key]]]]
}

# headers=K=v,K=v as a list, which keeps the order.
proc headers {} {
    if {![dict exists $::options headers]} {
        return {}
    }
    set list {}
    foreach pair [split [dict get $::options headers] ,] {
        set at [string first = $pair]
        lappend list [text_of [decode [string range $pair 0 $at-1]]] \
            [list [text_of [decode [string range $pair $at+1 end]]]]
    }
    return [list -headers $list]
}

# Blanks between, whatever the words hold.
proc put {args} { puts [join $args " "] }

# ---- answers ----

# A call: 1 and its result in the variable, or 0 and the error printed.
proc try_to {variable args} {
    upvar 1 $variable result
    if {![catch {uplevel #0 $args} result options]} {
        return 1
    }
    failed $result [dict get $options -errorcode]
    return 0
}

proc failed {text code} {
    if {[lindex $code 0] ne "POLYNATS"} {
        set code [list POLYNATS INVALID ""]
    }
    set ::last_text $text
    note_code $code
    put err {*}[code_words $code]
}

# In a coroutine a verb that waits is called there, so that it waits by yielding.
proc wait_for {variable args} {
    upvar 1 $variable result
    if {![catch {{*}$args} result options]} {
        return 1
    }
    failed $result [dict get $options -errorcode]
    return 0
}

proc done {args} {
    if {[try_to result {*}$args]} {
        put ok
    }
}

proc put_msg {msg} {
    set pairs {}
    if {[dict exists $msg header_list]} {
        foreach {key value} [dict get $msg header_list] {
            lappend pairs [encode_text $key]=[encode_text $value]
        }
    }
    set reply [dict get $msg reply]
    set line [list msg [encode_text [dict get $msg subject]] \
        [expr {$reply eq "" ? "-" : [encode_text $reply]}] \
        [expr {[llength $pairs] ? [join $pairs ,] : "-"}] [encode [dict get $msg data]]]
    if {[dict exists $msg status]} {
        lappend line [dict get $msg status] [encode_text [dict get $msg description]]
    }
    put {*}$line
}

proc put_list {list} {
    foreach msg $list {
        put_msg $msg
    }
    if {![llength $list]} {
        put none
    }
}

proc put_one {msg} {
    if {![dict size $msg]} {
        put none
        return
    }
    put_msg $msg
    if {[dict exists $::options as]} {
        set ::handles([option as]) $msg
    }
}

proc keep {name made} {
    free $name
    set ::handles($name) $made
    put ok
}

# Lets go of a handle: its command, or the message.
proc free {name} {
    if {[::info exists ::handles($name)] && [string match ::polynats::* $::handles($name)]
            && [llength [::info commands $::handles($name)]]} {
        rename $::handles($name) ""
    }
    unset -nocomplain ::handles($name)
}

proc options_given {} {
    set given {}
    dict for {key value} $::options {
        if {$key eq "hook"} { lappend given -credentials [list ask_hook $value]; continue }
        lappend given -$key [text_of [decode $value]]
    }
    return $given
}

# The servers to connect to: one text, or a list when the case gives several words.
proc servers_given {} {
    set list {}
    foreach token [lrange $::words 2 end] {
        lappend list [expr {$token eq "-" ? "" : [text_of [decode $token]]}]
    }
    return [expr {$list eq "{}" ? "" : $list}]
}

namespace eval verb {}

# ---- clients ----
proc verb::connect {} {
    if {[try_to made ::polynats::connect [servers_given] {*}[options_given]]} {
        keep [word 0] $made
    }
}

proc texts_given {} {
    return [dict map {key value} $::options { text_of [decode $value] }]
}

# Supplies what the case says, and counts how often it was asked.
proc ask_hook {name nonce} {
    incr ::hook_calls($name)
    return $::hook_values($name)
}

proc verb::hook {} {
    set ::hook_values([word 0]) [texts_given]
    incr ::hook_calls([word 0]) 0
    put ok
}

proc verb::hook_calls {} { put ok $::hook_calls([word 0]) }
proc verb::credentials {} { done [handle 0] credentials [texts_given] }

proc verb::close {} { done [handle 0] close }
proc verb::drain {} { done [handle 0] drain {*}[seconds timeout_ms -timeout] }
proc verb::flush {} { done [handle 0] flush {*}[seconds timeout_ms -timeout] }
proc verb::process {} { done [handle 0] process }
proc verb::reconnect {} { done [handle 0] reconnect }
if {!$looping} {
    proc verb::wake {} { done [handle 0] wake }
}

proc verb::share {} {
    if {[try_to made [handle 0] share]} {
        keep [word 1] $made
    }
}

proc verb::publish {} {
    done [handle 0] publish [text 1] [bytes 2] {*}[pass reply -reply] {*}[headers]
}

proc verb::publish_many {} {
    set list {}
    foreach token [lrange $::words 3 end] {
        lappend list [decode $token]
    }
    if {[try_to count [handle 0] publish_many [text 1] $list]} {
        put ok $count
    }
}

proc verb::respond {} { done [handle 0] respond [handle 1] [bytes 2] {*}[headers] }

proc verb::subscribe {} {
    set command {}
    if {[dict exists $::options callback]} {
        set command [list -command called]
    }
    if {[try_to made [handle 0] subscribe [text 2] {*}[pass queue -queue] {*}[pass max -max] \
            {*}[pass pending_msgs -pending_msgs] {*}[pass pending_bytes -pending_bytes] \
            {*}$command]} {
        keep [word 1] $made
    }
}

proc verb::unsubscribe_sid {} { done [handle 0] unsubscribe [word 1] {*}[option after] }

proc verb::unsubscribe_subject {} {
    if {[try_to count [handle 0] unsubscribe [text 1] {*}[option after]]} {
        put ok $count
    }
}

proc verb::get {} {
    if {[wait_for list [handle 0] get {*}[pass max -max] {*}[wait_seconds -wait]]} {
        put_list $list
    }
}

# Messages that callbacks were called with, and no `dispatch` has printed yet.
set arrived {}
proc called {msg} { lappend ::arrived $msg }

# With the loop callbacks run whenever it turns: wait for the first, and print those.
proc verb::dispatch {} {
    global arrived looping
    set max [option max 1000000]
    if {!$looping} {
        if {![try_to count [handle 0] dispatch {*}[pass max -max] {*}[wait_seconds -wait]]} {
            return
        }
    } else {
        if {[[handle 0] status] eq "closed"} {
            failed "the client is closed" {POLYNATS CLOSED client}
            return
        }
        if {![llength $arrived]} {
            set timer [after [expr {[option wait_ms 0] + 1}] {set ::arrived $::arrived}]
            vwait ::arrived
            after cancel $timer
        }
    }
    set now [lrange $arrived 0 $max-1]
    set arrived [lrange $arrived $max end]
    put_list $now
}

proc verb::request {} {
    if {[wait_for msg [handle 0] request [text 1] [bytes 2] {*}[seconds timeout_ms -timeout] \
            {*}[headers]]} {
        put_one $msg
    }
}

proc verb::request_start {} {
    if {[try_to made [handle 0] request_start [text 2] [bytes 3] \
            {*}[seconds timeout_ms -timeout] {*}[headers]]} {
        keep [word 1] $made
    }
}

proc verb::request_many {} {
    if {[try_to list [handle 0] request_many [text 1] [bytes 2] {*}[pass max -max] \
            {*}[seconds stall_ms -stall] {*}[seconds timeout_ms -timeout] \
            {*}[pass sentinel -sentinel] {*}[headers]]} {
        foreach msg $list {
            put_msg $msg
        }
        put ok
    }
}

proc verb::wait {} {
    if {[wait_for msg [handle 0] wait {*}[seconds wait_ms -timeout]]} {
        put_one $msg
    }
}

proc verb::poll {} {
    if {[try_to msg [handle 0] poll]} {
        if {![dict size $msg] && ![[handle 0] done]} {
            put open
        } else {
            put_one $msg
        }
    }
}

proc verb::future_done {} { put ok [[handle 0] done] }
proc verb::cancel {} { done [handle 0] cancel }

proc verb::rtt {} {
    if {[try_to rtt [handle 0] rtt {*}[seconds timeout_ms -timeout]]} {
        put ok [expr {int($rtt * 1e9)}]
    }
}

proc verb::new_inbox {} {
    if {[try_to inbox [handle 0] new_inbox]} {
        put ok [encode_text $inbox]
    }
}

proc verb::stats {} {
    set stats [[handle 0] stats]
    put ok {*}[lmap name [lrange $::words 2 end] {dict get $stats $name}]
}

# The fields of an INFO that the case asks for; of a list the first; "json" is all of it.
proc put_fields {object {verb server_info}} {
    if {![try_to info $object $verb]} {
        return
    }
    set line ok
    foreach name [lrange $::words 2 end] {
        if {$name eq "json"} {
            lappend line [encode_text [$object server_info_json]]
        } elseif {![dict exists $info $name]} {
            lappend line -
        } else {
            set value [dict get $info $name]
            if {$name eq "connect_urls"} {
                set value [lindex $value 0]
            }
            lappend line [encode_text $value]
        }
    }
    put {*}$line
}

proc verb::server_info {} { put_fields [handle 0] }
proc verb::info {} { put_fields [handle 0] info }
proc verb::status {} { put ok [[handle 0] status] }
proc verb::max_payload {} { put ok [[handle 0] max_payload] }

proc fact {event name absent} {
    return [expr {[dict exists $event $name] ? [dict get $event $name] : $absent}]
}

proc event_field {event name} {
    switch -exact -- $name {
        code { return [fact $event status OK] }
        kind { return [fact $event kind none] }
        level { return [dict get $event level] }
        text - url - subject - line { return [encode_text [fact $event $name ""]] }
        sid - lost - unconfirmed - recoverable - token { return [fact $event $name 0] }
        rtt_ms { return [expr {int([fact $event rtt 0] * 1000 + 0.0005)}] }
    }
    die "no such field" $name
}

proc put_event {event first} {
    put event [dict get $event type] {*}[lmap name [lrange $::words $first end] {
        event_field $event $name
    }]
}

# Takes events until one of the wanted type ("-": any) comes.
proc verb::next_event {} {
    set stop [expr {[polynats::now] + [option wait_ms 0] / 1000.0}]
    while {1} {
        set left [expr {$stop - [polynats::now]}]
        if {![wait_for event [handle 0] next_event -wait [expr {max($left, 0)}]]} {
            return
        }
        if {![dict size $event] && $left <= 0} {
            put none
            return
        }
        if {[dict size $event] && [word 1] in [list - [dict get $event type]]} {
            put_event $event 3
            return
        }
    }
}

proc verb::deadline {} {
    set left [[handle 0] deadline]
    put ok [expr {$left eq "" ? -1 : round($left * 1000)}]
}

proc verb::errtext {} { put ok [encode_text $::last_text] }
proc verb::errabout {} { put ok [encode_text $::last_about] }

# Does the descriptor become readable in time? Told by the package's own watch of it, in the event loop.
proc verb::wait_fd {} {
    if {![try_to fd [handle 0] fd]} {
        return
    }
    set ::seen ""
    [handle 0] watch {set ::seen 1}
    set timer [after [option wait_ms 0] {set ::seen 0}]
    while {$::seen eq ""} {
        vwait ::seen
    }
    after cancel $timer
    [handle 0] unwatch {set ::seen 1}
    put ok $::seen
}

# ---- subscriptions and messages ----

proc verb::next {} {
    if {[wait_for msg [handle 0] next {*}[wait_seconds -timeout]]} {
        put_one $msg
    }
}

proc verb::sub_get {} {
    if {[wait_for list [handle 0] get {*}[pass max -max] {*}[wait_seconds -wait]]} {
        put_list $list
    }
}

proc verb::unsubscribe {} { done [handle 0] unsubscribe {*}[option after] }
proc verb::sub_drain {} { done [handle 0] drain {*}[seconds timeout_ms -timeout] }

proc verb::sub_info {} {
    set sub [handle 0]
    set queue [$sub queue]
    put ok [encode_text [$sub subject]] [expr {$queue eq "" ? "-" : [encode_text $queue]}] \
        [$sub sid] [$sub active]
}

proc verb::sub_stats {} {
    set stats [[handle 0] stats]
    put ok {*}[lmap name {pending pending_bytes delivered dropped received} {
        dict get $stats $name
    }]
}

proc verb::iterate {} {
    set left [word 1]
    [handle 0] foreach msg {
        put_msg $msg
        incr left -1
        if {$left == 0} {
            break
        }
    }
    put ok
}

# Answer the next n requests, with data or with what was asked.
proc verb::serve {} {
    for {set left [word 2]} {$left > 0} {incr left -1} {
        if {![wait_for msg [handle 1] next {*}[wait_seconds -timeout]]} {
            return
        }
        if {![dict size $msg]} {
            put none
            return
        }
        set data [dict get $msg data]
        if {[dict exists $::options data]} {
            set data [decode [option data]]
        }
        if {![try_to result [handle 0] respond $msg $data]} {
            return
        }
    }
    done [handle 0] flush
}

proc verb::header {} {
    set absent "\0absent"
    set value [polynats::header [handle 0] [text 1] $absent]
    put ok [expr {$value eq $absent ? "-" : [encode_text $value]}]
}

proc verb::free {} {
    ::free [word 0]
    put ok
}

proc verb::reset {} {
    foreach name [array names ::handles] {
        ::free $name
    }
    array unset ::clocks
    set ::arrived {}
    put ok
}

# ---- subjects and options ----

proc verb::subject_valid {} { put ok [polynats::subject valid [text 0]] }
proc verb::subject_valid_pattern {} { put ok [polynats::subject valid_pattern [text 0]] }
proc verb::subject_matches {} { put ok [polynats::subject matches [text 0] [text 1]] }
proc verb::options {} { put ok {*}[lmap row [polynats::options] {dict get $row name}] }

# ---- the protocol without I/O ----

proc now {} { return [list -now [expr {$::clocks([word 0]) / 1000.0}]] }

proc verb::proto_new {} {
    if {[try_to made ::polynats::proto [servers_given] -seed 0123456789abcdef {*}[options_given]]} {
        set ::clocks([word 0]) 0
        keep [word 0] $made
    }
}

proc verb::proto_clock {} {
    set ::clocks([word 0]) [word 1]
    put ok
}

foreach {verb method} {
    proto_start start proto_up transport_up proto_upgraded upgraded proto_secured secured
    proto_eof feed_eof proto_reconnect reconnect proto_tick tick
} {
    proc verb::$verb {} [list method_now $method]
}

proc method_now {method} { done [handle 0] $method {*}[now] }

proc verb::proto_failed {} { done [handle 0] transport_failed [word 1] [text 2] {*}[now] }
proc verb::proto_feed {} { done [handle 0] feed [bytes 1] {*}[now] }
proc verb::proto_expect_signature {} { done [handle 0] expect_signature [word 1] }

proc verb::proto_sign {} {
    done [handle 0] sign [bytes 1] {*}[pass public_key -public_key] {*}[pass jwt -jwt] {*}[now]
}

# Prints the next event; 0 when there is none.
proc next_proto_event {first} {
    set event [[handle 0] next_event]
    if {![dict size $event]} {
        return 0
    }
    if {[dict get $event type] eq "message"} {
        put_msg [dict get $event message]
    } else {
        put_event $event $first
    }
    return 1
}

proc verb::proto_event {} {
    if {![next_proto_event 2]} {
        put none
    }
}

proc verb::proto_events {} {
    set any 0
    while {[next_proto_event [llength $::words]]} {
        set any 1
    }
    if {!$any} {
        put none
    }
}

proc verb::proto_tx {} { put ok [encode [[handle 0] take {*}[pass max -max] {*}[now]]] }
proc verb::proto_pending {} { put ok [[handle 0] pending] }

proc verb::proto_deadline {} {
    set at [[handle 0] deadline]
    put ok [expr {$at eq "" ? "never" : int(ceil($at * 1000 - 1e-6))}]
}

proc verb::proto_publish {} {
    done [handle 0] publish [text 1] [bytes 2] {*}[pass reply -reply] {*}[headers]
}

proc verb::proto_subscribe {} {
    if {[try_to sid [handle 0] subscribe [text 1] {*}[pass queue -queue] {*}[pass max -max] \
            {*}[pass sid -sid]]} {
        put ok $sid
    }
}

proc verb::proto_unsubscribe {} { done [handle 0] unsubscribe [word 1] {*}[option after] }

proc verb::proto_ping {} {
    if {[try_to token [handle 0] ping {*}[now]]} {
        put ok $token
    }
}

proc verb::proto_close {} { done [handle 0] close }
proc verb::proto_state {} { put ok [[handle 0] state] }
proc verb::proto_pings_out {} { put ok [[handle 0] pings_out] }
proc verb::proto_offset {} { put ok [[handle 0] offset] }

proc verb::proto_server {} {
    set server [[handle 0] server]
    put ok {*}[lmap name {url scheme host port} {encode_text [dict get $server $name]}]
}

proc verb::proto_servers {} {
    foreach server [[handle 0] servers] {
        put server [encode_text [dict get $server url]] [dict get $server attempts] \
            [dict get $server discovered]
    }
}

proc verb::proto_server_add {} { done [handle 0] server_add [text 1] }
proc verb::proto_server_remove {} { done [handle 0] server_remove [text 1] }
proc verb::proto_info {} { put_fields [handle 0] }

proc verb::proto_new_inbox {} {
    if {[try_to inbox [handle 0] new_inbox]} {
        put ok [encode_text $inbox]
    }
}

# ---- the loop ----

proc verb::hello {} { put ok {*}[lmap name [::info procs ::verb::*] {namespace tail $name}] }

proc play {line} {
    global words options
    set words {}
    set options {}
    foreach token [regexp -all -inline {\S+} $line] {
        set at [string first = $token]
        if {$at >= 0} {
            dict set options [string range $token 0 $at-1] [string range $token $at+1 end]
        } else {
            lappend words $token
        }
    }
    if {![llength $words]} {
        return
    }
    set verb [lindex $words 0]
    if {![llength [::info procs ::verb::$verb]]} {
        die "no such verb" $verb
    }
    ::verb::$verb
    puts .
    flush stdout
}

# Runs one command in a coroutine, and the event loop until it is done.
proc play_in_coroutine {line} {
    set ::played 0
    coroutine ::player apply {line {
        if {[catch {play $line} text options]} {
            puts stderr [dict get $options -errorinfo]
            exit 3
        }
        set ::played 1
    }} $line
    while {!$::played} {
        vwait ::played
    }
}

source [file join [file dirname [info script]] driver_js.tcl]
fconfigure stdin -translation lf -encoding iso8859-1
fconfigure stdout -translation lf -encoding iso8859-1 -buffering full
while {[gets stdin line] >= 0} {
    if {$looping} {
        play_in_coroutine $line
    } else {
        play $line
    }
}
foreach name [array names handles] {
    free $name
}
