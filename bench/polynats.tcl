# The Tcl package doing what bench/raw.c does. Same flags, same line of results. Needs `polynats` on TCLLIBPATH.

package require polynats

set warmup 200 ;# as BENCH_WARMUP
set batch 1000
set lone_gap_ms 1
set wait 30

proc fail {text} {
    puts stderr $text
    exit 1
}

# ---- flags and results ----

namespace eval work {}

array set args {url nats://127.0.0.1:4222 msgs 1000000 size 128 subject bench}
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

set work [read_flags]
if {![llength [info procs work::$work]]} {
    fail "unknown work: $work"
}
work::$work
