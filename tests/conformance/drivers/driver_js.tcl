# JetStream's verbs of the driver for Tcl: sourced by driver.tcl. What a case says in JSON is made Tcl's own values, and
# the verbs are those of the handles, as a script would write them; what has none of its own goes by $js call.

set last_codes {0 0}
set last_description ""

# {POLYNATS SERVER err_code code about description}, {POLYNATS NAME about ?err_code code description?}.
proc note_code {code} {
    set server [expr {[lindex $code 1] eq "SERVER" && [llength $code] == 6}]
    set ::last_description [lindex $code 5]
    set ::last_about [lindex $code [expr {$server ? 4 : 2}]]
    set ::last_codes [expr {$server ? [lrange $code 2 3] : [lrange $code 3 4]}]
    if {![llength $::last_codes]} {
        set ::last_codes {0 0}
    }
}

# The code, and JetStream's own when it is one of its verbs.
proc code_words {code} {
    note_code $code
    set number [lindex $::last_codes 0]
    return [expr {$number ? [list [lindex $code 1] $number] : [list [lindex $code 1]]}]
}

proc verb::errdescription {} { put ok [encode_text $::last_description] }

proc verb::errcodes {} { put ok {*}$::last_codes }

# A time of the case, in ms: -1 is the default, and what is wrong stays wrong.
proc seconds_given {key option} {
    set ms [option $key -1]
    return [expr {$ms == -1 ? {} : [list $option [expr {$ms / 1000.0}]]}]
}

# ---- JSON of the cases: {kind value}, an object's value is a dict of such, an array's a list of such ----

namespace eval json {}

# Braces and brackets are \x7b \x7d \x5b \x5d here, for Tcl counts them.
proc json::read {text} {
    set at 0
    set value [value $text at]
    blanks $text at
    if {$at < [string length $text]} {
        error "more behind it"
    }
    return $value
}

proc json::blanks {text variable} {
    upvar 1 $variable at
    regexp -indices -start $at {\A\s*} $text found
    set at [expr {[lindex $found 1] + 1}]
}

# Take what the pattern finds here; 0 when it finds nothing.
proc json::take {text variable pattern {into taken}} {
    upvar 1 $variable at $into taken
    if {![regexp -start $at -- "\\A(?:$pattern)" $text taken]} {
        return 0
    }
    incr at [string length $taken]
    return 1
}

proc json::value {text variable} {
    upvar 1 $variable at
    blanks $text at
    if {[take $text at {\x7b}]} {
        return [list object [members $text at]]
    }
    if {[take $text at {\x5b}]} {
        return [list array [elements $text at]]
    }
    if {[take $text at {"(?:[^"\\]|\\.)*"} token]} {
        return [list text [unescape [string range $token 1 end-1]]]
    }
    if {[take $text at {true|false} token]} {
        return [list bool $token]
    }
    if {[take $text at null]} {
        return {null {}}
    }
    if {[take $text at {-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?} token]} {
        return [list number $token]
    }
    error "no value at $at"
}

proc json::unescape {text} {
    set text [string map {\\/ /} $text]
    return [subst -nocommands -novariables $text]
}

proc json::members {text variable} {
    upvar 1 $variable at
    set found {}
    blanks $text at
    if {[take $text at {\x7d}]} {
        return {}
    }
    while {1} {
        set name [value $text at]
        blanks $text at
        if {[lindex $name 0] ne "text" || ![take $text at :]} {
            error "no member at $at"
        }
        dict set found [lindex $name 1] [value $text at]
        blanks $text at
        if {[take $text at {\x7d}]} {
            return $found
        }
        if {![take $text at ,]} {
            error "no comma at $at"
        }
    }
}

proc json::elements {text variable} {
    upvar 1 $variable at
    set found {}
    blanks $text at
    if {[take $text at {\x5d}]} {
        return {}
    }
    while {1} {
        lappend found [value $text at]
        blanks $text at
        if {[take $text at {\x5d}]} {
            return $found
        }
        if {![take $text at ,]} {
            error "no comma at $at"
        }
    }
}

# ---- as Tcl's values ----

set rfc3339 %Y-%m-%dT%H:%M:%SZ

# Durations are ns there and seconds here; times are seconds here, when they are good ones.
proc native {object tagged} {
    set found {}
    dict for {name value} $tagged {
        lassign [polynats::Key $object $name] kind element of
        if {[lindex $value 0] eq "array"} {
            dict set found $name [lmap one [lindex $value 1] {native_one $one $element $of}]
        } elseif {[lindex $value 0] ne "null"} {
            dict set found $name [native_one $value $kind $of]
        }
    }
    return $found
}

proc native_one {tagged kind object} {
    lassign $tagged written value
    if {$written eq "object"} {
        return [native [expr {$object eq "" ? "?" : $object}] $value]
    }
    if {$written eq "array"} {
        return [lmap one $value {native_one $one "" ""}]
    }
    if {$kind eq "seconds" && $written eq "number"} {
        if {![string is wide -strict $value]} {
            return $value? ;# no number of ns: the library is shown it
        }
        set sign [expr {$value < 0 ? "-" : ""}]
        set digits [format %010lld [expr {abs($value)}]]
        return $sign[string range $digits 0 end-9].[string range $digits end-8 end]
    }
    if {$kind eq "time" && [regexp {^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$} $value]
            && ![catch {clock scan $value -format $::rfc3339 -gmt 1} seconds]
            && [clock format $seconds -format $::rfc3339 -gmt 1] eq $value} {
        return $seconds
    }
    return $value
}

# A text when they are no JSON.
proc arguments_given {index object} {
    if {[llength $::words] <= $index + 1 || [lindex $::words $index+1] in {- "\"\""}} {
        return {}
    }
    set text [text $index]
    if {[catch {json::read $text} tagged] || [lindex $tagged 0] ne "object"} {
        return $text
    }
    return [native $object [lindex $tagged 1]]
}

# ---- answers as the suite has them ----

# A value of an answer: a duration has a point and no more digits than it needs, a time has nine behind it.
proc plain {value} {
    if {[regexp {^(\d{9,})\.(\d{9})$} $value - seconds digits]} {
        set text [clock format $seconds -format %Y-%m-%dT%H:%M:%S -gmt 1]
        return $text[string trimright .$digits .0]Z
    }
    if {[regexp {^-?\d+\.\d{1,9}$} $value]} {
        return [expr {round($value * 1e9)}]
    }
    return $value
}

# Is there a list at the path, and of what? A value does not tell.
proc list_at {path} {
    switch -exact -- $path {
        streams { return text }
        state.deleted { return integer }
    }
    foreach object {stream_config consumer_config} {
        lassign [polynats::Key $object [string map {config. ""} $path]] kind element
        if {$kind eq "list"} {
            return $element
        }
    }
    return ""
}

proc shown {path value} {
    set element [list_at $path]
    if {$element eq ""} {
        return [encode_text [plain $value]]
    }
    set quote [expr {$element eq "text" ? "\"" : ""}]
    return [encode_text \[[join [lmap one $value {string cat $quote [plain $one] $quote}] ,]\]]
}

# config.sources.0.name; # counts.
proc follow {answer path} {
    set value $answer
    foreach name [split $path .] {
        if {$name eq "#"} {
            return [expr {$path eq "state.subjects.#" ? [dict size $value] : [llength $value]}]
        }
        if {[string is digit -strict $name] && ![catch {llength $value} count]} {
            if {$name >= $count} {
                return -
            }
            set value [lindex $value $name]
        } elseif {[catch {dict exists $value $name} there] || !$there} {
            return -
        } else {
            set value [dict get $value $name]
        }
    }
    return [shown $path $value]
}

proc put_answer {answer first} {
    if {![catch {dict exists $answer subject} there] && $there && [dict exists $answer data]} {
        put_one $answer
        return
    }
    put ok {*}[lmap path [lrange $::words $first end] {follow $answer [text_of [decode $path]]}]
}

# ---- management ----

proc verb::js {} {
    if {[try_to made [handle 0] jetstream {*}[pass domain -domain] {*}[pass prefix -prefix] \
            {*}[seconds_given timeout_ms -timeout]]} {
        keep [word 1] $made
    }
}

# The stream or consumer of that name, which goes with the answer.
proc stream_of {js given} {
    lappend ::borrowed [$js stream [dict get $given stream]]
    return [lindex $::borrowed end]
}

proc consumer_of {js given} {
    lappend ::borrowed [[stream_of $js $given] consumer [dict get $given consumer]]
    return [lindex $::borrowed end]
}

proc give_back {} {
    foreach borrowed $::borrowed {
        if {[llength [info commands $borrowed]]} {
            $borrowed destroy
        }
    }
    set ::borrowed {}
}
set borrowed {}

# -name value pairs of all but those names.
proc rest_of {given args} {
    set rest {}
    dict for {name value} $given {
        if {$name ni $args} {
            lappend rest -$name $value
        }
    }
    return $rest
}

# What a maker told of what it made.
proc made_info {args} {
    lappend ::borrowed [{*}$args]
    return [[lindex $::borrowed end] cached_info]
}

namespace eval method {}

foreach name {create update create_or_update get_or_create} {
    proc method::${name}_stream {js given more} [format {
        made_info $js %s_stream -config [dict get $given config] \
            {*}[rest_of $given config] {*}$more
    } $name]
    proc method::${name}_consumer {js given more} [format {
        set config [expr {[dict exists $given config] ? [dict get $given config] : {}}]
        made_info [stream_of $js $given] %s_consumer {*}[rest_of $config] \
            {*}[rest_of $given config stream] {*}$more
    } $name]
}
proc method::account_info {js given more} { $js account_info {*}$more }
proc method::delete_stream {js given more} { [stream_of $js $given] delete {*}$more }
proc method::stream_info {js given more} {
    [stream_of $js $given] info {*}[rest_of $given stream] {*}$more
}
proc method::purge_stream {js given more} {
    dict create purged [[stream_of $js $given] purge {*}[rest_of $given stream] {*}$more]
}
proc method::get_message {js given more} {
    set stream [stream_of $js $given]
    foreach {name verb} {last_by_subj get_last next_by_subj get_next seq get} {
        if {[dict exists $given $name]} {
            return [$stream $verb [dict get $given $name] {*}[rest_of $given stream $name] {*}$more]
        }
    }
}
proc method::delete_message {js given more} {
    set erase {}
    if {[dict exists $given no_erase]} {
        set erase [list -erase [expr {![dict get $given no_erase]}]]
    }
    [stream_of $js $given] delete_message [dict get $given seq] {*}$erase {*}$more
}
proc method::seal_stream {js given more} { [stream_of $js $given] seal {*}$more }
proc method::change_stream {js given more} {
    [stream_of $js $given] update -config [dict get $given config] \
        {*}[rest_of $given stream config] {*}$more
}
proc method::stream_leader_stepdown {js given more} {
    [stream_of $js $given] leader_stepdown {*}[rest_of $given stream] {*}$more
}
proc method::stream_peer_remove {js given more} {
    [stream_of $js $given] peer_remove [dict get $given peer] {*}$more
}
proc method::delete_consumer {js given more} { [consumer_of $js $given] delete {*}$more }
proc method::consumer_info {js given more} { [consumer_of $js $given] info {*}$more }
proc method::pause_consumer {js given more} {
    [consumer_of $js $given] pause [dict get $given pause_until] {*}$more
}
proc method::resume_consumer {js given more} { [consumer_of $js $given] resume {*}$more }
proc method::reset_consumer {js given more} {
    [consumer_of $js $given] reset {*}[rest_of $given stream consumer] {*}$more
}
proc method::unpin_consumer {js given more} {
    [consumer_of $js $given] unpin [dict get $given group] {*}$more
}
proc method::consumer_leader_stepdown {js given more} {
    [consumer_of $js $given] leader_stepdown {*}[rest_of $given stream consumer] {*}$more
}
# As the answer would have them on one page.
proc method::page {member list} {
    return [dict create $member $list total [llength $list] offset 0]
}
proc method::streams {js given more} { page streams [$js streams {*}[rest_of $given] {*}$more] }
proc method::stream_names {js given more} {
    page streams [$js stream_names {*}[rest_of $given] {*}$more]
}
proc method::consumers {js given more} {
    page consumers [[stream_of $js $given] consumers {*}$more]
}
proc method::consumer_names {js given more} {
    page consumers [[stream_of $js $given] consumer_names {*}$more]
}

# verb: the arguments that its method has, those that it must have
set method_arguments {
    account_info {{} {}} delete_stream {stream stream}
    stream_info {{stream subjects_filter deleted_details} stream}
    purge_stream {{stream subject seq keep} stream}
    get_message {{stream seq last_by_subj next_by_subj no_hdr direct} stream}
    delete_message {{stream seq no_erase} {stream seq}} seal_stream {stream stream}
    change_stream {{stream config pedantic} {stream config}}
    stream_leader_stepdown {{stream placement} stream}
    stream_peer_remove {{stream peer} {stream peer}}
    delete_consumer {{stream consumer} {stream consumer}}
    consumer_info {{stream consumer} {stream consumer}}
    pause_consumer {{stream consumer pause_until} {stream consumer pause_until}}
    resume_consumer {{stream consumer} {stream consumer}}
    reset_consumer {{stream consumer seq} {stream consumer}}
    unpin_consumer {{stream consumer group} {stream consumer group}}
    consumer_leader_stepdown {{stream consumer placement} {stream consumer}}
    streams {subject {}} stream_names {subject {}} consumers {stream stream}
    consumer_names {stream stream}
}
foreach name {create update create_or_update get_or_create} {
    dict set method_arguments ${name}_stream {{config pedantic} config}
    dict set method_arguments ${name}_consumer {{stream config pedantic} stream}
}
set without_answer {delete_stream delete_message delete_consumer unpin_consumer
    stream_leader_stepdown stream_peer_remove consumer_leader_stepdown}

# Is there a method for just this?
proc has_method {verb given paths} {
    if {![dict exists $::method_arguments $verb] || [catch {dict size $given}]
            || ($paths && $verb in $::without_answer)} {
        return 0
    }
    lassign [dict get $::method_arguments $verb] known wanted
    foreach name [dict keys $given] {
        if {$name ni $known} {
            return 0
        }
    }
    foreach name $wanted {
        if {![dict exists $given $name]} {
            return 0
        }
    }
    if {[string match *_stream $verb] && "config" in $wanted} {
        return [expr {![catch {dict size [dict get $given config]}]}]
    }
    if {$verb ne "get_message"} {
        return 1
    }
    set ways [lmap name {seq last_by_subj next_by_subj} {
        if {![dict exists $given $name]} continue
        set name
    }]
    return [expr {$ways in {seq last_by_subj next_by_subj {seq next_by_subj}}}]
}

proc verb::js_call {} {
    set verb [word 1]
    set given [arguments_given 2 $verb]
    set more [seconds_given timeout_ms -timeout]
    if {[has_method $verb $given [expr {[llength $::words] > 4}]]} {
        set fine [wait_for answer ::method::$verb [handle 0] $given $more]
    } else {
        set fine [wait_for answer [handle 0] call $verb $given {*}$more]
    }
    give_back
    if {$fine} {
        put_answer $answer 4
    }
}

proc verb::js_call_start {} {
    set given [arguments_given 3 [word 2]]
    if {[try_to made [handle 0] call_start [word 2] $given \
            {*}[seconds_given timeout_ms -timeout]]} {
        keep [word 1] $made
    }
}

proc verb::js_call_wait {} {
    if {[wait_for answer [handle 0] wait {*}[seconds_given wait_ms -timeout]]} {
        put_answer $answer 2
    }
}

proc verb::js_get_many {} {
    set given [arguments_given 1 get_messages]
    set stream [stream_of [handle 0] $given]
    set fine [wait_for count $stream get_many {*}[rest_of $given stream] \
        {*}[seconds_given timeout_ms -timeout] -command put_msg]
    give_back
    if {$fine} {
        put ok
    }
}

# ---- publish ----

# Keywords of publish, and headers.
proc storing {} {
    set given [headers]
    dict for {key value} $::options {
        if {$key ni {headers timeout_ms}} {
            lappend given -$key [text_of [decode $value]]
        }
    }
    return $given
}

proc put_ack {ack first} {
    set fields [lrange $::words $first end]
    if {![llength $fields]} {
        put ok [encode_text [dict get $ack stream]] [dict get $ack seq] \
            [expr {bool([dict get $ack duplicate])}]
        return
    }
    put ok {*}[lmap name $fields {
        set name [expr {$name eq "val" ? "value" : $name}]
        if {![dict exists $ack $name]} {
            set value -
        } else {
            set value [dict get $ack $name]
            set value [expr {$name eq "duplicate" ? bool($value) : [encode_text $value]}]
        }
    }]
}

proc verb::js_publish {} {
    if {[wait_for ack [handle 0] publish [text 1] [bytes 2] {*}[storing] \
            {*}[seconds_given timeout_ms -timeout]]} {
        put_ack $ack 4
    }
}

proc verb::js_publish_start {} {
    if {[try_to made [handle 0] publish_start [text 2] [bytes 3] {*}[storing] \
            {*}[seconds_given timeout_ms -timeout]]} {
        keep [word 1] $made
    }
}

proc verb::js_wait {} {
    if {![wait_for ack [handle 0] wait {*}[seconds_given wait_ms -timeout]]} {
        return
    }
    if {![dict size $ack]} {
        put none
    } else {
        put_ack $ack 2
    }
}

proc verb::js_publisher {} {
    if {[try_to made [handle 0] publisher {*}[pass max -max_pending] {*}[pass fast -fast]]} {
        keep [word 1] $made
    }
}

proc verb::js_pub {} {
    if {[wait_for id [handle 0] publish [text 1] [bytes 2] {*}[storing]]} {
        put ok $id
    }
}

proc verb::js_pub_many {} {
    set list [lmap token [lrange $::words 3 end] {decode $token}]
    if {![catch {[handle 0] publish_many [text 1] $list} first options]} {
        put ok $first [llength $list]
        return
    }
    failed $first [dict get $options -errorcode]
    if {[dict exists $options -published]} {
        put ok [dict get $options -first] [dict get $options -published]
    }
}

proc verb::js_publish_many {} {
    set list [lmap token [lrange $::words 3 end] {decode $token}]
    if {![catch {
        [handle 0] publish_many [text 1] $list {*}[seconds_given timeout_ms -timeout]
    } count options]} {
        put ok $count
        return
    }
    failed $count [dict get $options -errorcode]
    if {[dict exists $options -failures]} {
        foreach failure [dict get $options -failures] {
            put failure [lindex $failure 0] err {*}[code_words [lindex $failure 1]]
        }
        put ok [dict get $options -published]
    }
}

proc verb::js_flush {} {
    if {[wait_for result [handle 0] flush {*}[seconds_given timeout_ms -timeout]]} {
        put ok
    }
}

proc verb::js_flush_start {} {
    if {[try_to made [handle 0] flush_start {*}[seconds_given timeout_ms -timeout]]} {
        keep [word 1] $made
    }
}

proc verb::js_failures {} {
    set failures [[handle 0] failures]
    foreach failure $failures {
        lassign $failure id code text
        put failure $id err {*}[code_words $code]
    }
    if {![llength $failures]} {
        put none
    }
}

proc verb::js_publisher_stats {} { put ok {*}[dict values [[handle 0] stats]] }

proc verb::js_batch {} {
    if {[try_to made [handle 0] batch]} {
        keep [word 1] $made
    }
}

proc verb::js_batch_add {} {
    if {[wait_for result [handle 0] add [text 1] [bytes 2] {*}[storing] \
            {*}[seconds_given timeout_ms -timeout]]} {
        put ok
    }
}

proc verb::js_batch_add_start {} {
    if {[try_to made [handle 0] add_start [text 2] [bytes 3] {*}[storing] \
            {*}[seconds_given timeout_ms -timeout]]} {
        keep [word 1] $made
    }
}

# Without a message when the subject is a dash.
proc last_message {index} {
    if {[lindex $::words $index+1] in {- ""}} {
        return {}
    }
    return [list [text $index] [bytes [expr {$index + 1}]]]
}

proc verb::js_batch_commit {} {
    if {[wait_for ack [handle 0] commit {*}[last_message 1] {*}[storing] \
            {*}[seconds_given timeout_ms -timeout]]} {
        put_ack $ack 4
    }
}

proc verb::js_batch_commit_start {} {
    if {[try_to made [handle 0] commit_start {*}[last_message 2] {*}[storing] \
            {*}[seconds_given timeout_ms -timeout]]} {
        keep [word 1] $made
    }
}

# ---- consume ----

proc verb::js_consume {} {
    set given [arguments_given 3 [word 2]]
    if {[wait_for made [handle 0] consume [word 2] $given {*}[seconds_given timeout_ms -timeout]]} {
        keep [word 1] $made
    }
}

proc verb::js_consume_start {} {
    set given [arguments_given 4 [word 3]]
    if {[try_to made [handle 0] consume_start [word 3] $given \
            {*}[seconds_given timeout_ms -timeout]]} {
        lassign $made sub future
        ::free [word 2]
        set ::handles([word 2]) $future
        keep [word 1] $sub
    }
}

proc verb::js_consumer {} {
    set stream [[handle 0] stream [text 2]]
    try {
        keep [word 1] [$stream consumer [text 3]]
    } finally {
        rename $stream ""
    }
}

proc verb::js_fetch {} {
    if {[wait_for list [handle 0] fetch {*}[pass max -max] {*}[seconds_given wait_ms -wait]]} {
        put_list $list
    }
}

proc verb::js_consume_wait {} {
    if {[wait_for result [handle 0] wait {*}[seconds_given wait_ms -timeout]]} {
        put ok
    }
}

proc verb::msg_ack {} {
    set more {}
    if {[dict exists $::options delay_ms]} {
        set more [list -delay [expr {[option delay_ms] / 1000.0}]]
    }
    done [handle 0] [word 2] [handle 1] {*}$more {*}[pass reason -reason]
}

proc verb::ack_sync {} {
    if {[wait_for result [handle 0] ack_sync [handle 1] {*}[seconds_given timeout_ms -timeout]]} {
        put ok
    }
}

proc verb::ack_many {} {
    set messages [lmap name [lrange $::words 2 end] {set ::handles($name)}]
    if {[try_to count [handle 0] ack_many $messages]} {
        put ok $count
    }
}

proc verb::msg_meta {} {
    if {![dict exists [handle 0] metadata]} {
        put none
        return
    }
    set place [dict get [handle 0] metadata]
    put ok {*}[lmap name [lrange $::words 2 end] {
        if {$name eq "time_ns"} {
            set value [string trimleft [string map {. {}} [dict get $place time]] 0]
            set value [expr {$value eq "" ? 0 : $value}]
        } else {
            encode_text [dict get $place $name]
        }
    }]
}
