# Two coroutines on one thread: one waits for messages, the other publishes them.
# tclsh event_loop.tcl ?how many?
package require polynats

if {[lindex $argv 0] in {--help -h}} {
    puts "usage: tclsh event_loop.tcl ?how many?"
    exit
}

set count [lindex [concat $argv 3] 0]
set nc [polynats connect]

proc listen {sub} {
    $sub foreach msg { ;# waits, and the other coroutine goes on
        puts "got [dict get $msg data]"
    }
    set ::finished 1
}

proc tick {nc count} {
    for {set i 1} {$i <= $count} {incr i} {
        after 50 [info coroutine]
        yield
        $nc publish tick $i
    }
}

coroutine listener listen [$nc subscribe tick -max $count]
coroutine ticker tick $nc $count
vwait finished
$nc close
