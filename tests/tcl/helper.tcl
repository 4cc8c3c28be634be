# What the tests share. The server is the one of $NATS_URL (script/with-server starts it).

package require tcltest 2.3
package require polynats
namespace import ::tcltest::test

# An interrupted call ends within 100 ms; a loaded machine gets more to be sure of its own part.
set prompt_ms 1000

# A test gets a client $nc and a subject of its own; both go with it, whatever became of it.
set subjects 0
proc check {name body args} {
    test $name "" {*}$args -setup {
        set nc [polynats connect $::env(NATS_URL)]
        set subject t.[incr ::subjects].[pid]
        set seen {}
    } -body $body -cleanup {
        foreach handle [info commands ::polynats::*\[0-9\]] {
            if {[llength [info commands $handle]]} {
                $handle destroy
            }
        }
    }
}

# A stream of its own in memory, and what is made besides; all of it goes with the test.
proc kept {name body args} {
    check $name [string cat {
        set js [$nc jetstream]
        set stream_name S[string map {. _} $subject]
        set stream [$js create_stream -name $stream_name -subjects [list $subject.>] \
            -storage memory]
        try } [list $body] { finally {
            if {[$nc status] ne "closed" && [llength [info commands $js]]} {
                catch {$js delete_stream $stream_name}
            }
        }
    }] {*}$args
}

# The error of a script: its code and its text, or what it gave.
proc error_of {script} {
    if {![catch {uplevel 1 $script} result options]} {
        return [list none $result]
    }
    return [list [dict get $options -errorcode] $result]
}

proc code_of {script} { return [lindex [uplevel 1 [list error_of $script]] 0] }

proc took_ms {script} {
    set began [clock milliseconds]
    uplevel 1 $script
    return [expr {[clock milliseconds] - $began}]
}

# Let the event loop run until the condition holds, at most 10 s.
proc wait_until {condition} {
    set ends [expr {[clock milliseconds] + 10000}]
    while {![uplevel 1 [list expr $condition]]} {
        if {[clock milliseconds] > $ends} {
            error "waited too long for: $condition"
        }
        after 5 {set ::tick 1}
        vwait ::tick
    }
}

# What a program of its own prints; it must succeed.
proc run_tcl {program} {
    set file [tcltest::makeFile "package require polynats\n$program" program[pid].tcl]
    set output [exec -ignorestderr tclsh $file 2>@1]
    tcltest::removeFile program[pid].tcl
    return $output
}

# Error handlers of the background, collected.
proc collect_errors {text options} {
    lappend ::errors [dict get $options -errorcode] $text
}
interp bgerror {} collect_errors
set errors {}

proc finish {} {
    set bad [expr {$::tcltest::numTests(Failed) + $::tcltest::numTests(Skipped)}]
    set none [expr {$::tcltest::numTests(Total) == 0}]
    tcltest::cleanupTests
    exit [expr {$bad || $none}]
}
