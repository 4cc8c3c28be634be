# Streams and consumers of JetStream: their verbs, each a call of the jetstream's by name. A handle is known by its
# id here, for its command may be renamed meanwhile; what it holds is a dict: js (the id of its jetstream), name, info.

foreach ::polynats::noun {js stream consumer ordered} {
    namespace eval ::polynats::$::polynats::noun {
        namespace path ::polynats
    }
}
unset ::polynats::noun

# Verbs of a noun that differ by their names only: NAME in the body is the verb's.
proc ::polynats::Define {noun verbs arguments body} {
    foreach verb $verbs {
        proc ::polynats::${noun}::$verb $arguments [string map [list NAME $verb] $body]
    }
}

# ---- what goes with a procedure ----

# The handle in the variable is ended by its verb when the procedure is left, however that comes: also when its
# coroutine is deleted while it waits.
proc ::polynats::Guard {variable verb} {
    upvar 1 $variable handle
    trace add variable handle unset [list ::polynats::End $handle $verb]
}

proc ::polynats::End {handle verb args} {
    if {[llength [::info commands $handle]]} {
        catch {$handle $verb}
    }
}

# ---- what a fetch has taken ----

# A list of messages that is filled while its call waits; its name is in the variable. It is no variable of the
# procedure's, for these are gone when a coroutine is deleted. When that one goes and Give has not had the list, it is
# kept for the handle's next fetch.
proc ::polynats::Fill {variable id messages} {
    upvar 1 $variable list
    set list ::polynats::filled([incr ::polynats::filled(serial)])
    set $list $messages
    trace add variable list unset [list ::polynats::Keep $id $list]
}

proc ::polynats::Keep {id list args} {
    if {[::info exists $list]} {
        set messages [set $list]
        unset $list
        catch {Kept $id [concat $messages [dict get [Held $id] kept]]}
    }
}

# What is kept from now on, in the place of what was, which is returned.
proc ::polynats::Kept {id messages} {
    set held [Held $id]
    Held $id [dict replace $held kept $messages]
    return [dict get $held kept]
}

# The list that was filled, at most so many of it: the others are kept.
proc ::polynats::Give {id list most} {
    set messages [set $list]
    unset $list
    if {[llength $messages] > $most} {
        Kept $id [concat [lrange $messages $most end] [dict get [Held $id] kept]]
        set messages [lrange $messages 0 $most-1]
    }
    return $messages
}

# ---- options ----

# -name value pairs as a dict.
proc ::polynats::Pairs {list} {
    set given {}
    foreach {name value} $list {
        if {[string index $name 0] ne "-"} {
            throw [list POLYNATS INVALID $name] "\"$name\" is no option: options begin with a dash"
        }
        dict set given [string range $name 1 end] $value
    }
    if {[llength $list] % 2} {
        throw [list POLYNATS INVALID $name] "option \"$name\" has no value"
    }
    return $given
}

# The same, of these names only. Numbers in front stand for the first of them, where these are counts or times.
proc ::polynats::Options {list args} {
    set front {}
    foreach name $args word $list {
        if {$name ni {max wait timeout} || ![string is double -strict $word]} break
        dict set front $name $word
    }
    set given [dict merge $front [Pairs [lrange $list [dict size $front] end]]]
    foreach name [dict keys $given] {
        if {$name ni $args} {
            set known [join [lmap one $args {string cat - $one}] ", "]
            throw [list POLYNATS INVALID -$name] "bad option \"-$name\": must be $known"
        }
    }
    return $given
}

# A number that was given, or what it is when it was not.
proc ::polynats::AtLeast {least kind name given usual} {
    if {![dict exists $given $name] || [dict get $given $name] eq ""} {
        return $usual
    }
    set value [dict get $given $name]
    if {![string is $kind -strict $value] || [catch {expr {$value >= $least}} fine] || !$fine} {
        throw [list POLYNATS INVALID -$name] \
            "-$name must be a number of $least or more, not \"$value\""
    }
    return $value
}

# Take an option out of the dict in the variable: -name value as a list, or nothing.
proc ::polynats::Take {variable name} {
    upvar 1 $variable given
    if {![dict exists $given $name]} {
        return {}
    }
    set value [dict get $given $name]
    dict unset given $name
    return [list -$name $value]
}

# A configuration as pairs: $dict -key value … is -config $dict -key value …
proc ::polynats::Configured {list} {
    if {[llength $list] % 2 && [string index [lindex $list 0] 0] ne "-"} {
        return [linsert $list 0 -config]
    }
    return $list
}

# A configuration: a dict, and what was said besides, which wins.
proc ::polynats::Config {given} {
    lassign [Take given config] - config
    if {[catch {dict size $config}]} {
        throw {POLYNATS INVALID config} "config must be a dict, not \"[string range $config 0 79]\""
    }
    return [dict merge $config $given]
}

# What makes or changes by a configuration: the arguments of the call, and its -timeout.
proc ::polynats::Making {list} {
    set given [Pairs [Configured $list]]
    set timeout [Take given timeout]
    lassign [Take given pedantic] - pedantic
    return [list [dict create config [Config $given] pedantic $pedantic] $timeout]
}

# Take -command out of the dict in the variable: a prefix that is called with each, or nothing: they become a list.
proc ::polynats::Prefix {variable} {
    upvar 1 $variable given
    lassign [Take given command] - prefix
    if {[catch {llength $prefix} text]} {
        throw {POLYNATS INVALID -command} "-command must be a command prefix: $text"
    }
    return $prefix
}

# ---- one after the other ----

# Call the prefix with one more word, at global level. Does it want more? Its error is the caller's.
proc ::polynats::Tell {prefix word} {
    set code [catch {uplevel #0 [list {*}$prefix $word]} result options]
    switch -exact -- $code {
        0 - 2 - 4 { return true }
        3 { return false }
    }
    dict incr options -level
    return -options $options $result
}

# Call the prefix with each message of the future as it comes: how many they were. What it did not want is dropped.
proc ::polynats::TellAll {future prefix} {
    Guard future destroy
    set count 0
    while {[dict size [set message [$future wait]]]} {
        incr count
        if {![Tell $prefix $message]} break
    }
    return $count
}

# All pages of a list; with a prefix how many it was called with, one page at a time.
proc ::polynats::Listed {id verb member arguments timeout prefix} {
    set found {}
    set count 0
    while {1} {
        dict set arguments offset $count
        set answer [Call $id call $verb $arguments {*}$timeout]
        set page [expr {[dict exists $answer $member] ? [dict get $answer $member] : {}}]
        if {[llength $prefix]} {
            foreach one $page {
                incr count
                if {![Tell $prefix $one]} {
                    return $count
                }
            }
        } else {
            lappend found {*}$page
            incr count [llength $page]
        }
        if {![llength $page] || $count >= [dict get $answer total]} break
    }
    if {[llength $prefix]} {
        return $count
    }
    return $found
}

# ---- $js ----

proc ::polynats::js::account_info {id args} {
    Options $args timeout
    return [Call $id call account_info {*}$args]
}

proc ::polynats::js::Make {id verb list} {
    lassign [Making $list] arguments timeout
    set info [Call $id call $verb $arguments {*}$timeout]
    return [Made $id stream [dict create js $id name [dict get $info config name] info $info]]
}

::polynats::Define js {create_stream update_stream create_or_update_stream get_or_create_stream} \
    {id args} {return [Make $id NAME $args]}

proc ::polynats::js::delete_stream {id name args} {
    Options $args timeout
    Call $id call delete_stream [dict create stream $name] {*}$args
    return
}

proc ::polynats::js::stream {id name} {
    return [Made $id stream [dict create js $id name $name info {}]]
}

::polynats::Define js {streams stream_names} {id args} {
    set given [Options $args subject command timeout]
    set timeout [Take given timeout]
    set prefix [Prefix given]
    return [Listed $id NAME streams $given $timeout $prefix]
}

# The error of the first that failed has all of them in its return options, as -failures: {place errorcode text}, and
# as -published how many were sent: where that is not all, the last failure is why the one at this place was not.
proc ::polynats::js::publish_many {id subject list args} {
    Options $args timeout
    set publisher [Call $id publisher]
    Guard publisher destroy
    set published [llength $list]
    set stopped {}
    set why {}
    try {
        $publisher publish_many $subject $list
    } trap POLYNATS {text why} {
        set published [expr {[dict exists $why -published] ? [dict get $why -published] : 0}]
        set stopped [list $published [dict get $why -errorcode] $text]
    }
    if {$published} {
        try {
            $publisher flush {*}$args
        } trap POLYNATS {text why} {
        }
    }
    if {![dict size $why]} {
        return $published
    }
    set failures {}
    foreach failure [$publisher failures] {
        lappend failures [lreplace $failure 0 0 [expr {[lindex $failure 0] - 1}]]
    }
    if {[llength $stopped]} {
        lappend failures $stopped
    }
    return -options [dict replace $why -failures $failures -published $published] $text
}

# ---- $stream ----

proc ::polynats::stream::Ask {id verb arguments args} {
    set held [Held $id]
    return [Call [dict get $held js] call $verb \
        [dict merge [dict create stream [dict get $held name]] $arguments] {*}$args]
}

proc ::polynats::stream::Note {id info} {
    Held $id [dict replace [Held $id] info $info]
    return $info
}

proc ::polynats::stream::name {id} { return [dict get [Held $id] name] }
proc ::polynats::stream::cached_info {id} { return [dict get [Held $id] info] }

# With subjects_filter the subjects come in pages.
proc ::polynats::stream::info {id args} {
    set given [Options $args subjects_filter deleted_details timeout]
    set timeout [Take given timeout]
    set info [Ask $id stream_info $given {*}$timeout]
    if {[dict exists $info state subjects] && [dict exists $info total]} {
        set subjects [dict get $info state subjects]
        while {[dict size $subjects] < [dict get $info total]} {
            set before [dict size $subjects]
            set page [Ask $id stream_info [dict replace $given offset $before] {*}$timeout]
            if {[dict exists $page state subjects]} {
                set subjects [dict merge $subjects [dict get $page state subjects]]
            }
            if {[dict size $subjects] == $before} break
        }
        dict set info state subjects $subjects
    }
    return [Note $id $info]
}

# What is left out stays.
proc ::polynats::stream::update {id args} {
    lassign [Making $args] arguments timeout
    return [Note $id [Ask $id change_stream $arguments {*}$timeout]]
}

proc ::polynats::stream::delete {id args} {
    Options $args timeout
    Ask $id delete_stream {} {*}$args
    return
}

proc ::polynats::stream::purge {id args} {
    set given [Options $args subject keep seq timeout]
    set timeout [Take given timeout]
    return [dict get [Ask $id purge_stream $given {*}$timeout] purged]
}

proc ::polynats::stream::seal {id args} {
    Options $args timeout
    return [Note $id [Ask $id seal_stream {} {*}$args]]
}

proc ::polynats::stream::leader_stepdown {id args} {
    set given [Options $args placement timeout]
    set timeout [Take given timeout]
    Ask $id stream_leader_stepdown $given {*}$timeout
    return
}

proc ::polynats::stream::peer_remove {id peer args} {
    Options $args timeout
    Ask $id stream_peer_remove [dict create peer $peer] {*}$args
    return
}

proc ::polynats::stream::Get {id list which args} {
    set given [Options $list no_hdr direct timeout {*}$args]
    set timeout [Take given timeout]
    return [Ask $id get_message [dict merge $which $given] {*}$timeout]
}

proc ::polynats::stream::get {id seq args} { return [Get $id $args [dict create seq $seq]] }

proc ::polynats::stream::get_last {id subject args} {
    return [Get $id $args [dict create last_by_subj $subject]]
}

proc ::polynats::stream::get_next {id subject args} {
    return [Get $id $args [dict create next_by_subj $subject seq 1] seq]
}

proc ::polynats::stream::get_many {id args} {
    set given [Pairs $args]
    set timeout [Take given timeout]
    set prefix [Prefix given]
    set held [Held $id]
    dict set given stream [dict get $held name]
    set js [dict get $held js]
    if {![llength $prefix]} {
        return [Call $js get_many $given {*}$timeout]
    }
    return [TellAll [Call $js call_start get_messages $given {*}$timeout] $prefix]
}

proc ::polynats::stream::delete_message {id seq args} {
    set given [Options $args erase timeout]
    set erase [expr {![dict exists $given erase] || [dict get $given erase]}]
    set arguments [dict create seq $seq]
    if {!$erase} {
        dict set arguments no_erase true
    }
    Ask $id delete_message $arguments {*}[Take given timeout]
    return
}

proc ::polynats::stream::MakeConsumer {id verb list} {
    lassign [Making $list] arguments timeout
    set info [Ask $id $verb $arguments {*}$timeout]
    return [NewConsumer $id [dict get $info name] $info]
}

proc ::polynats::stream::NewConsumer {id name info} {
    set held [Held $id]
    set js [dict get $held js]
    return [Made $js consumer \
        [dict create js $js stream [dict get $held name] name $name info $info kept {}]]
}

::polynats::Define stream {
    create_consumer update_consumer create_or_update_consumer get_or_create_consumer
} {id args} {return [MakeConsumer $id NAME $args]}

proc ::polynats::stream::consumer {id name} { return [NewConsumer $id $name {}] }

proc ::polynats::stream::delete_consumer {id name args} {
    Options $args timeout
    Ask $id delete_consumer [dict create consumer $name] {*}$args
    return
}

::polynats::Define stream {consumers consumer_names} {id args} {
    set given [Options $args command timeout]
    set prefix [Prefix given]
    set held [Held $id]
    return [Listed [dict get $held js] NAME consumers \
        [dict create stream [dict get $held name]] [Take given timeout] $prefix]
}

proc ::polynats::stream::ordered_consumer {id args} {
    set held [Held $id]
    set js [dict get $held js]
    return [Made $js ordered [dict create js $js stream [dict get $held name] \
        config [Config [Pairs [Configured $args]]] info {} sub "" why {} \
        consumer "" kept {}]]
}

# ---- $consumer ----

proc ::polynats::consumer::Ask {id verb arguments args} {
    set held [Held $id]
    set which [dict create stream [dict get $held stream] consumer [dict get $held name]]
    return [Call [dict get $held js] call $verb [dict merge $which $arguments] {*}$args]
}

proc ::polynats::consumer::name {id} { return [dict get [Held $id] name] }
proc ::polynats::consumer::stream_name {id} { return [dict get [Held $id] stream] }
proc ::polynats::consumer::cached_info {id} { return [dict get [Held $id] info] }

proc ::polynats::consumer::info {id args} {
    Options $args timeout
    set info [Ask $id consumer_info {} {*}$args]
    Held $id [dict replace [Held $id] info $info]
    return $info
}

proc ::polynats::consumer::delete {id args} {
    Options $args timeout
    Ask $id delete_consumer {} {*}$args
    return
}

proc ::polynats::consumer::pause {id until args} {
    Options $args timeout
    return [Ask $id pause_consumer [dict create pause_until $until] {*}$args]
}

proc ::polynats::consumer::resume {id args} {
    Options $args timeout
    return [Ask $id resume_consumer {} {*}$args]
}

proc ::polynats::consumer::reset {id args} {
    set given [Options $args seq timeout]
    set timeout [Take given timeout]
    return [Ask $id reset_consumer $given {*}$timeout]
}

proc ::polynats::consumer::unpin {id group args} {
    Options $args timeout
    Ask $id unpin_consumer [dict create group $group] {*}$args
    return
}

proc ::polynats::consumer::leader_stepdown {id args} {
    set given [Options $args placement timeout]
    set timeout [Take given timeout]
    Ask $id consumer_leader_stepdown $given {*}$timeout
    return
}

# All of a subscription until it ends, and then it is gone. Its error is one when nothing came before it; else the next
# fetch tells.
proc ::polynats::consumer::Drain {id sub most} {
    trace add variable sub unset [list ::polynats::consumer::Leave $id $sub]
    Fill list $id {}
    try {
        while {1} {
            lappend $list {*}[$sub get]
        }
    } trap {POLYNATS CLOSED} {} {
    } trap POLYNATS {text options} {
        if {![llength [set $list]]} {
            return -options $options $text
        }
        # Unless the consumer's command went meanwhile.
        catch {Held $id [dict replace [Held $id] why [dict replace $options -text $text]]}
    }
    $sub close
    return [Give $id $list $most]
}

# It was interrupted: what waits is kept, too.
proc ::polynats::consumer::Leave {id sub args} {
    if {[llength [::info commands $sub]]} {
        catch {$sub unsubscribe}
        catch {
            while {[llength [set some [$sub get -wait 0]]]} {
                Kept $id [concat [dict get [Held $id] kept] $some]
            }
        }
        catch {$sub close}
    }
}

proc ::polynats::consumer::Fetch {id given} {
    set held [Held $id]
    if {[dict exists $held why]} {
        set why [dict get $held why]
        Held $id [dict remove $held why]
        return -code error -options $why [dict get $why -text]
    }
    set most [expr {[dict exists $given max_bytes] ? "end" : 1}]
    if {[dict exists $given max] && [string is integer -strict [dict get $given max]]} {
        set most [dict get $given max]
    }
    if {[llength [dict get $held kept]] && ($most eq "end" || $most >= 1)} {
        Fill list $id [Kept $id {}]
        return [Give $id $list [expr {$most eq "end" ? [llength [set $list]] : $most}]]
    }
    if {[dict exists $given wait] && [dict get $given wait] ne "" && [dict get $given wait] == 0} {
        dict unset given wait
        dict set given no_wait true
    }
    dict set given stream [dict get $held stream]
    dict set given consumer [dict get $held name]
    dict set given mode private
    set sub [Call [dict get $held js] consume fetch $given]
    return [Drain $id $sub [expr {$most eq "end" ? 0x7fffffff : max($most, 1)}]]
}

proc ::polynats::consumer::fetch {id args} {
    return [Fetch $id [Options $args max wait max_bytes heartbeat no_wait group min_pending \
        min_ack_pending priority]]
}

proc ::polynats::consumer::next {id args} {
    set given [Options $args wait max_bytes heartbeat no_wait group min_pending min_ack_pending \
        priority]
    return [lindex [Fetch $id [dict replace $given max 1]] 0]
}

proc ::polynats::consumer::consume {id args} {
    set given [Pairs $args]
    set options [list {*}[Take given command] {*}[Take given timeout]]
    set held [Held $id]
    set info [dict get $held info]
    if {![dict size $info]} {
        set info [info $id]
    }
    set push [expr {[dict exists $info config deliver_subject]
        && [dict get $info config deliver_subject] ne ""}]
    set given [dict merge [dict create stream [dict get $held stream] \
        consumer [dict get $held name]] $given]
    return [Call [dict get $held js] consume [expr {$push ? "push" : "consume"}] $given {*}$options]
}

# ---- $ordered ----

proc ::polynats::ordered::Start {id given args} {
    set held [Held $id]
    set given [dict merge [dict create stream [dict get $held stream] \
        config [dict get $held config]] $given]
    lassign [Call [dict get $held js] consume_start ordered $given {*}$args] made future
    set sub $made
    Guard sub close
    Guard future destroy
    set info [$future wait] ;# others may have changed what is held
    set held [Held $id]
    if {![dict size [dict get $held info]]} {
        Held $id [dict replace $held info $info]
    }
    trace remove variable sub unset [list ::polynats::End $made close]
    return [list $made $info]
}

proc ::polynats::ordered::consume {id args} {
    set given [Pairs $args]
    set options [list {*}[Take given command] {*}[Take given timeout]]
    return [lindex [Start $id $given {*}$options] 0]
}

# What fetch and next take from: made by the first of them.
proc ::polynats::ordered::Own {id} {
    set why [dict get [Held $id] why]
    if {[dict size $why]} {
        Held $id [dict replace [Held $id] why {}]
        return -code error -options $why [dict get $why -text]
    }
    set sub [dict get [Held $id] sub]
    if {$sub eq ""} {
        lassign [Start $id {mode private}] sub info
        set first [dict get [Held $id] sub]
        if {$first ne ""} { # another coroutine's, which began meanwhile
            $sub close
            return $first
        }
        Held $id [dict replace [Held $id] sub $sub info $info]
    }
    return $sub
}

proc ::polynats::ordered::fetch {id args} {
    set given [Options $args max wait]
    set most [AtLeast 1 integer max $given 100]
    set until [expr {[now] + [AtLeast 0 double wait $given 5]}]
    set sub [Own $id]
    Fill list $id [Kept $id {}]
    try {
        while {[llength [set $list]] < $most} {
            set some [$sub get -max [expr {$most - [llength [set $list]]}] \
                -wait [expr {max(0, $until - [now])}]]
            if {![llength $some]} break
            lappend $list {*}$some
        }
    } trap POLYNATS {text options} {
        if {![llength [set $list]]} {
            return -options $options $text
        }
        # The next call tells.
        Held $id [dict replace [Held $id] why [dict replace $options -text $text]]
    }
    set messages [Give $id $list $most]
    Note $id [lindex $messages end]
    return $messages
}

# Who brought the last message may be another one than the first.
proc ::polynats::ordered::Note {id message} {
    if {[dict exists $message metadata consumer]} {
        Held $id [dict replace [Held $id] consumer [dict get $message metadata consumer]]
    }
    return $message
}

proc ::polynats::ordered::Next {id sub args} {
    if {[llength [dict get [Held $id] kept]]} {
        Fill list $id [Kept $id {}]
        return [Note $id [lindex [Give $id $list 1] 0]]
    }
    return [Note $id [$sub next {*}$args]]
}

proc ::polynats::ordered::next {id args} {
    set given [dict merge {wait 5} [Options $args wait]]
    return [Next $id [Own $id] -timeout [dict get $given wait]]
}

# From what fetch and next take from, too. Its variable and body are the caller's.
proc ::polynats::ordered::foreach {id variable args} {
    set sub [Own $id]
    if {[llength $args] ni {1 3}} {
        tailcall $sub foreach $variable {*}$args
    }
    set given [Options [lrange $args 0 end-1] timeout]
    tailcall ::polynats::Each [list ::polynats::ordered::Next $id $sub] $variable \
        [Take given timeout] [lindex $args end]
}

proc ::polynats::ordered::info {id args} {
    Options $args timeout
    Own $id
    set held [Held $id]
    set name [dict get $held consumer]
    set which [dict create stream [dict get $held stream] \
        consumer [expr {$name ne "" ? $name : [dict get $held info name]}]]
    set info [Call [dict get $held js] call consumer_info $which {*}$args]
    Held $id [dict replace [Held $id] info $info]
    return $info
}

proc ::polynats::ordered::close {id} {
    set held [Held $id]
    Held $id [dict replace $held sub "" why {} consumer "" kept {}]
    if {[llength [::info commands [dict get $held sub]]]} {
        [dict get $held sub] close
    }
    return
}
