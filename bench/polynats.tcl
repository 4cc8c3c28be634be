# The Tcl package doing what bench/raw.c does. Same flags, same line of results. Needs `polynats` on TCLLIBPATH.

package require polynats

set warmup 200 ;# as BENCH_WARMUP
set batch 1000
set lone_gap_ms 1
set wait 30
set window 4000 ;# these as in bench.h
set pull 500
set ahead 10000
set acks 10000

proc fail {text} {
    puts stderr $text
    exit 1
}

# ---- flags and results ----

namespace eval work {}

array set args {url nats://127.0.0.1:4222 msgs 1000000 size 128 subject bench storage memory}
array set settings {-pending_msgs -1 -pending_bytes -1}

proc read_flags {} {
    global argv args settings
    if {![llength $argv]} {
        fail "usage: WORK ?--url u? ?--msgs n? ?--size n? ?--subject s? ?--set o=v?"
    }
    foreach {flag value} [lrange $argv 1 end] {
        set name [string range $flag 2 end]
        if {$flag eq "--set" && [regexp {^(\w+)=(.*)$} $value whole option text]} {
            set settings(-$option) $text
        } elseif {[info exists args($name)] && [string range $flag 0 1] eq "--" && $value ne ""} {
            set args($name) $value
        } else {
            fail "bad flag: $flag $value"
        }
    }
    return [lindex $argv 0]
}

proc wall_ns {} { return [expr {[clock microseconds] * 1000}] }

# Of all threads: the kernel counts for each the ns that it ran.
proc cpu_ns {} {
    set sum 0
    foreach file [glob /proc/self/task/*/schedstat] {
        set channel [open $file]
        incr sum [lindex [read $channel] 0]
        close $channel
    }
    return $sum
}

proc start {} { return [list [wall_ns] [cpu_ns]] }

# Wall time and processor time since then, in ns.
proc stop {began} {
    set cpu [cpu_ns]
    return [list [expr {[wall_ns] - [lindex $began 0]}] [expr {$cpu - [lindex $began 1]}]]
}

proc print_line {took {p50 ""} {p99 ""}} {
    global args work
    set seconds [expr {[lindex $took 0] / 1e9}]
    puts [format "polynats-tcl,%s,%d,%d,%.6f,%.0f,%.2f,%s,%s," $work $args(size) $args(msgs) \
        $seconds [expr {$args(msgs) / $seconds}] \
        [expr {double([lindex $took 1]) / $args(msgs)}] $p50 $p99]
}

# Samples are in µs.
proc print_times {took samples} {
    set samples [lsort -integer $samples]
    set last [expr {[llength $samples] - 1}]
    print_line $took {*}[lmap part {0.50 0.99} {
        format %.2f [lindex $samples [expr {round($last * $part)}]]
    }]
}

proc ready {} {
    puts ready
    flush stdout
}

# ---- works ----

proc connect {} { return [polynats connect $::args(url) {*}[array get ::settings]] }

proc subscribe {nc} {
    set sub [$nc subscribe $::args(subject)]
    $nc flush -timeout $::wait
    return $sub
}

proc payload {} { return [binary format a* [string repeat x $::args(size)]] }

proc work::pub {} {
    set nc [connect]
    set subject $::args(subject)
    set data [payload]
    set began [start]
    for {set left $::args(msgs)} {$left > 0} {incr left -1} {
        $nc publish $subject $data
    }
    $nc flush -timeout $::wait
    print_line [stop $began]
}

# A list of messages at a time, the data of each looked up and measured.
proc work::sub {} {
    set nc [connect]
    subscribe $nc
    ready
    set wanted $::args(msgs)
    set msgs 0
    set bytes 0
    set began [start]
    while {$msgs < $wanted} {
        set list [$nc get -max $::batch -wait $::wait]
        if {![llength $list]} {
            fail "only $msgs messages came"
        }
        if {!$msgs} {
            lset began 0 [wall_ns]
        }
        foreach msg $list {
            incr bytes [string length [dict get $msg data]]
        }
        incr msgs [llength $list]
    }
    set took [stop $began]
    if {$msgs != $wanted || $bytes != $msgs * $::args(size)} {
        fail "$msgs messages with $bytes bytes came"
    }
    print_line $took
}

proc work::req {} {
    set nc [connect]
    set subject $::args(subject)
    set data [payload]
    set samples {}
    for {set at [expr {-$::warmup}]} {$at < $::args(msgs)} {incr at} {
        if {$at == 0} {
            set began [start]
        }
        set asked [clock microseconds]
        set reply [$nc request $subject $data -timeout $::wait]
        if {$at >= 0} {
            lappend samples [expr {[clock microseconds] - $asked}]
        }
        if {[string length [dict get $reply data]] != $::args(size)} {
            fail "a reply has [string length [dict get $reply data]] bytes"
        }
    }
    print_times [stop $began] $samples
}

proc work::respond {} {
    set nc [connect]
    subscribe $nc
    ready
    set wanted [expr {$::args(msgs) + $::warmup}]
    set began [start]
    for {set done 0} {$done < $wanted} {incr done [llength $list]} {
        set list [$nc get -max $::batch -wait $::wait]
        if {![llength $list]} {
            fail "only $done requests came"
        }
        foreach msg $list {
            $nc respond $msg [dict get $msg data]
        }
    }
    $nc flush -timeout $::wait
    print_line [stop $began]
}

# It publishes on one connection, then waits on the other, in one thread as bench/polynats.lua.
proc work::lone {} {
    set out [connect]
    set sub [subscribe [connect]]
    set data [payload]
    set samples {}
    set began [start]
    for {set at 0} {$at < $::args(msgs)} {incr at} {
        after $::lone_gap_ms
        set sent [clock microseconds]
        $out publish $::args(subject) $data
        if {![dict size [$sub next -timeout $::wait]]} {
            fail "only $at messages came"
        }
        lappend samples [expr {[clock microseconds] - $sent}]
    }
    print_times [stop $began] $samples
}

# ---- JetStream ----

proc drop {args} {
    try {
        {*}$args
    } trap {POLYNATS SERVER 10059} {} {} trap {POLYNATS SERVER 10014} {} {}
}

# Many in a call.
proc publish_to_stream {fast} {
    set js [[connect] jetstream -timeout $::wait]
    set subject $::args(subject)
    set wanted $::args(msgs)
    set size $::batch
    drop $js delete_stream BENCH
    $js create_stream -name BENCH -subjects [list $subject] -storage $::args(storage) \
        {*}[expr {$fast ? {-allow_batched 1} : {}}]
    set publisher [$js publisher -max_pending $::window -fast $fast]
    set datas [lrepeat $size [payload]]
    set began [start]
    for {set left $wanted} {$left > 0} {incr left -$size} {
        if {$left < $size} {
            set datas [lrange $datas 1 $left]
        }
        $publisher publish_many $subject $datas
    }
    $publisher flush -timeout $::wait
    set took [stop $began]
    set acked [dict get [$publisher stats] acked]
    if {$acked != $wanted} {
        fail "only $acked messages were acknowledged"
    }
    $publisher close
    drop $js delete_stream BENCH
    print_line $took
}

proc work::js-pub {} { publish_to_stream 0 }
proc work::js-fast {} { publish_to_stream 1 }

proc filled {nc} { return [[$nc jetstream -timeout $::wait] stream FILLED_$::args(storage)] }

proc make_consumer {nc} {
    set stream [filled $nc]
    drop $stream delete_consumer bench
    return [$stream create_consumer -durable_name bench -ack_policy explicit \
        -max_ack_pending $::acks]
}

# Takes lists until all have come: command gives one, of so many at most. nc: where to acknowledge them; none if empty.
proc read_all {nc most command} {
    set wanted $::args(msgs)
    set msgs 0
    set bytes 0
    set began [start]
    while {$msgs < $wanted} {
        set list [{*}$command -max [expr {min($most, $wanted - $msgs)}] -wait $::wait]
        if {![llength $list]} {
            fail "only $msgs messages came"
        }
        foreach msg $list {
            incr bytes [string length [dict get $msg data]]
        }
        incr msgs [llength $list]
        if {$nc ne ""} {
            acknowledge $nc $list [expr {$msgs == $wanted}]
        }
    }
    set took [stop $began]
    if {$msgs != $wanted || $bytes != $msgs * $::args(size)} {
        fail "$msgs messages with $bytes bytes came"
    }
    return $took
}

# Many in a call; the last of all by a double ack, so that the server has taken note of all before it.
proc acknowledge {nc list last} {
    if {!$last} {
        $nc ack_many $list
        return
    }
    $nc ack_many [lrange $list 0 end-1]
    $nc ack_sync [lindex $list end] -timeout $::wait
}

proc finish {consumer took} {
    set floor [dict get [$consumer info] ack_floor stream_seq]
    if {$floor != $::args(msgs)} {
        fail "acks are in as far as message $floor"
    }
    $consumer delete
    print_line $took
}

proc work::js-fetch {} {
    set nc [connect]
    set consumer [make_consumer $nc]
    finish $consumer [read_all $nc $::pull [list $consumer fetch]]
}

proc work::js-consume {} {
    set nc [connect]
    set consumer [make_consumer $nc]
    set sub [$consumer consume -max_messages $::pull]
    finish $consumer [read_all $nc $::batch [list $sub get]]
    $sub unsubscribe
}

proc work::js-ordered {} {
    set sub [[[filled [connect]] ordered_consumer] consume -max_messages $::ahead]
    print_line [read_all "" $::batch [list $sub get]]
    $sub unsubscribe
}

set work [read_flags]
if {![llength [info procs work::$work]]} {
    fail "unknown work: $work"
}
work::$work
