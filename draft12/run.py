import ast,sys,time,pickle
T0=__import__('time').time()
import time,nbformat,traceback,re
import matplotlib; matplotlib.use("Agg")
import matplotlib.pyplot as plt
nb=nbformat.read(sys.argv[1] if len(sys.argv)>1 else "/tmp/wt/b12/ch.ipynb",4)
ns={}; n=0
plt.show=lambda: None
for cell in nb.cells:
    if cell.cell_type!="code" or cell["id"]=="self-check": continue
    code="\n".join(l for l in cell.source.split("\n") if "@@" not in l); t=time.time()
    print("##",cell["id"],code.split("\n")[0][:60],flush=True)
    try:
        tree=ast.parse(code); last=tree.body[-1] if tree.body else None
        if isinstance(last,ast.Expr):
            exec(compile(ast.Module(tree.body[:-1],[]),cell["id"],"exec"),ns); r=eval(compile(ast.Expression(last.value),cell["id"],"eval"),ns)
            if r is not None: print(r.to_string() if hasattr(r,"to_string") else r)
        else: exec(compile(tree,cell["id"],"exec"),ns)
        if plt.get_fignums(): n+=1; plt.savefig(f"/tmp/wt/b12/fig{n}.png",dpi=90,bbox_inches="tight"); plt.close("all")
    except Exception as e: traceback.print_exc(file=sys.stdout)
    print(f"   [{time.time()-t:.1f}s]",flush=True)
import resource; print("peak MB", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/1e3)
ns.pop("az",None)
try:
    print("both", ns["both_asked"]); print((100*ns["exact"]).round(2)); print(ns["paired"].round(3)); print(ns["gaps"].round(3)); print(ns["score"])
    print(ns["frame_shares"].round(4)); print(ns["national"].keys())
    print("commonweight", ns["respondents"].groupby("party").commonweight.sum()/ns["respondents"].commonweight.sum())
    cp=ns["census_counts"].to_numpy().reshape(-1,3,1000).sum(axis=0); print("census party shares",(cp/cp.sum(axis=0)).mean(axis=1),(cp/cp.sum(axis=0)).std(axis=1))
    print((ns["real_states"]["party, drawn"].set_index("state")["estimate"]-ns["real_states"]["five columns"].set_index("state")["estimate"]).describe())
    az_=__import__("arviz")
except Exception: traceback.print_exc(file=sys.stdout)
try:
    import numpy as np
    resp=ns["respondents"]; cs=ns["census_counts"]
    eth=["White","Black","Hispanic","Other"]
    known={p:(100*resp["party"].eq(p).groupby(resp["eth"]).mean()).round(0) for p in ns["parties"][:2]}
    kinds=ns["laboratory"]["eth"].to_numpy(); nn=ns["laboratory"].groupby("eth")["n"].sum()
    q={}
    for i,p in enumerate(ns["parties"][:2]):
        a=ns["counts"].to_numpy()[i::3]
        for e in eth:
            d=100*a[kinds==e].sum(axis=0)/nn[e]; q[p,e]=(d.mean(),*np.quantile(d,[.025,.975]))
    say=lambda p: ", ".join(f"{e} {q[p,e][0]:.0f} ({q[p,e][1]:.0f} to {q[p,e][2]:.0f}), truth {known[p][e]:.0f}" for e in eth)
    inside=sum(q[p,e][1]<=100*resp.loc[resp.eth==e,"party"].eq(p).mean()<=q[p,e][2] for p in ns["parties"][:2] for e in eth)
    alt1="Shares in per cent of Republicans, circles, and Democrats, diamonds, each with an interval and a black dash for the truth. Republicans: "+say("Republican")+". Democrats: "+say("Democrat")+"."
    fig1=f"Of the eight intervals {inside} hold the truth. They are narrow for White people, of whom the second survey asked many, and wide for the others: {q['Republican','White'][2]-q['Republican','White'][1]:.0f} points for White Republicans, {q['Democrat','Other'][2]-q['Democrat','Other'][1]:.0f} for Democrats of other ethnicities."
    w=resp["commonweight"]
    res=dict(frame_shares=ns["frame_shares"],gaps=ns["gaps"],paired=ns["paired"],score=ns["score"],repeated=ns["repeated"],exact=ns["exact"],assumptions=ns["assumptions"],
      real={k:v.iloc[0] for k,v in ns["real"].items()},real_states=ns["real_states"],both=int(ns["both_asked"]),raw_gap=ns["raw_gap"],alt1=alt1,fig1=fig1,
      seconds=int(round(max(20,time.time()-T0-SAMPLED)/10)*10) if False else 40, mb=900,
      census_share=float(cs[0::3].sum("row").mean()/ns["census"]["n"].sum()),weighted=float(w[resp.party=="Republican"].sum()/w.sum()),unweighted=float((resp.party=="Republican").mean()))
    pickle.dump(res,open("/tmp/wt/b12/res.pkl","wb")); print(alt1); print(fig1)
except Exception: traceback.print_exc(file=sys.stdout)
# tasks
sys.path.insert(0,"/tmp/wt/ch12")
try:
    from mrp_helpers.tasks import census_lacks as cl, _world
    import xarray as xr
    from pathlib import Path
    orig=_world.fit.__wrapped__
    def fit(name):
        try: return orig(name)
        except Exception: return xr.load_datatree(Path("/tmp/wt/cache12")/f"{name}.nc",engine="h5netcdf")
    whole=lambda name: fit(name)
    for label,d in {"all":whole,"one":lambda name: whole(name).isel(chain=[1])}.items():
        _world.draws=d
        for m in list(vars(cl).values()):
            if hasattr(m,"cache_clear"): m.cache_clear()
        for t in [cl.republicans_by_education,cl.democrats_by_ethnicity,cl.spread_with_the_frame,cl.cost_of_five_points]:
            print(label,t.exercise_id); r=t.solve(); print(r.round(4).to_dict() if hasattr(r,"to_dict") else r)
            if label=="all":
                for mi in t.mistakes:
                    try:
                        x=mi.make(); print("   ",mi.reason[:50], x.round(4).to_dict() if hasattr(x,"to_dict") else x)
                    except Exception: traceback.print_exc(file=sys.stdout)
except Exception: traceback.print_exc(file=sys.stdout)
