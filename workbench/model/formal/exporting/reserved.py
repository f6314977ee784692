"""Names that an exported text must not give to anything of a model: what they mean already.

Sources: the manual pages of Promela; L. Lamport, Specifying Systems (2002), chapter 15. SPIN's verifier is a
C program in which a model's variables keep their names, so C's words and the verifier's own macros are taken
too.
"""

__all__ = ["IN_PROMELA", "IN_TLA"]

PROMELA = """
    U V W X accept active assert atomic bit bool break byte c_code c_decl c_expr c_state c_track chan d_step
    define do else empty enabled end endif eval false fi for full get_priority goto hidden if ifdef ifndef
    in include init inline int len local ltl model mtype nempty never nfull notrace now np_ od of pc_value
    pid printf priority proctype progress provided return run select set_priority short show skip state this
    timeout trace true typedef unless unsigned xr xs
"""
C = """
    asm auto break case char const continue default do double else enum extern float for goto if inline int
    long register restrict return short signed sizeof static struct switch typedef typeof union unsigned
    void volatile while
"""
# macros of SPIN's verifier, and what a C compiler defines
VERIFIER = """
    ACCEPT_LAB ALL_P ALPHA_F ASYNC AUTO_RESIZE A_V Air0 Air1 BACKWARD_MOVES BAD BASE CHUNK CNT_P CONTINUE
    CONTINUE0 DELTA EOF FORWARD_MOVES FREQ FROM_P GLOBAL G_int G_long HAS_CODE HAS_TRACK INI_P IfNotBlocked
    LOCAL MAXPROC MAXQ MERGED MORE_P NCLAIMS NCORE NDONE_P NFAIR NOFAIR NOREDUCE NQS NTRANS NULL ONE_L PAN_H
    PMod PROG_LAB PanSource Q_EMPT_F Q_EMPT_T Q_FULL_F Q_FULL_T SAFETY SYNC S_A S_IREAD S_IWRITE SpinVersion
    StackSize TIMEOUT_F TRANSITIONS T_ID UPTO_P UnBlock VECTORSZ V_A V_PROVISO WS XUSAFE errno linux maxseq0
    minseq0 rand uchar uint ulong unix ushort wasnew
"""
# its own words, what its modules Integers and TLC define, and what an export defines
TLA = """
    ACTION ASSUME ASSUMPTION AXIOM Any Assert BOOLEAN BY CASE CHOOSE CONSTANT CONSTANTS CONSTRAINT COROLLARY
    Constraint DEF DEFINE DEFS DOMAIN ELSE ENABLED EXCEPT EXTENDS FALSE HAVE HIDE IF IN INSTANCE Init Int
    JavaTime LAMBDA LEMMA LET LOCAL MODULE NEW Nat Next OBVIOUS OMITTED ONLY OTHER PICK PROOF PROPOSITION
    PROVE Permutations Print PrintT QED RECURSIVE RandomElement SF_ STATE STRING SUBSET SUFFICES SortSeq
    Spec TAKE TEMPORAL THEN THEOREM TLCEval TLCGet TLCSet TRUE Terminated ToString TypeOK UNCHANGED UNION
    USE VARIABLE VARIABLES WF_ WITH WITNESS i j k vars
"""
# of TLC
CONFIGURATION = """
    ACTION_CONSTRAINT ACTION_CONSTRAINTS ALIAS CHECK_DEADLOCK CONSTRAINTS INIT INVARIANT INVARIANTS NEXT
    POSTCONDITION PROPERTIES PROPERTY SPECIFICATION SYMMETRY TYPE TYPE_CONSTRAINT VIEW
"""

IN_PROMELA = frozenset(f"{PROMELA} {C} {VERIFIER}".split())
IN_TLA = frozenset(f"{TLA} {CONFIGURATION}".split())
